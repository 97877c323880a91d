import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/formats/safetensors.js';

let folder: string;
let file: string;

before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-safetensors-'));
  file = path.join(folder, 'model.safetensors');
});
after(() => rmSync(folder, { recursive: true, force: true }));

const tensors = new Map<string, NamedArray>([
  [
    'a.weight',
    { shape: [2, 3], data: Float32Array.of(1, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-42, 3) },
  ],
  ['ß', { shape: [1], data: Float32Array.of(0.1) }],
  ['scalar', { shape: [], data: Float32Array.of(7) }],
  ['empty', { shape: [0, 4], data: new Float32Array(0) }],
]);

/** A file with a header of one's own. */
function writeRaw(header: unknown, data: Uint8Array, claimed?: number): void {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(claimed ?? text.length));
  writeFileSync(file, Buffer.concat([length, text, data]));
}

function assertRefused(pattern: RegExp): void {
  assert.throws(
    () => readSafetensors(file),
    (error: unknown) =>
      error instanceof UserError && pattern.test(error.message) && error.message.includes(file),
  );
}

test('what is written is read again, bit by bit', () => {
  writeSafetensors(file, tensors, { format: 'pt' });
  const found = readSafetensors(file);
  assert.deepEqual(found.metadata, { format: 'pt' });
  assert.deepEqual([...found.tensors.keys()], [...tensors.keys()]);
  for (const [name, { shape, data }] of tensors) {
    assert.deepEqual(found.tensors.get(name)!.shape, shape);
    assert.deepEqual(
      new Uint8Array(found.tensors.get(name)!.data.buffer),
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
  }
  assert.deepEqual(readdirSync(folder), ['model.safetensors'], 'nothing temporary is left');
});

test('the layout of the format: header length, JSON, data at a multiple of 8', () => {
  writeSafetensors(file, tensors);
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  assert.equal(length % 8, 0);
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  assert.deepEqual(header['a.weight'], { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] });
  assert.equal(bytes.readFloatLE(8 + length + 24), Math.fround(0.1));
  assert.equal(bytes.length, 8 + length + 32);
});

test('a file cut short anywhere is refused', () => {
  writeSafetensors(file, tensors);
  const bytes = readFileSync(file);
  for (const length of [0, 7, 8, 40, bytes.length - 1]) {
    writeFileSync(file, bytes.subarray(0, length));
    assertRefused(/safetensors/);
  }
  writeFileSync(file, Buffer.concat([bytes, Buffer.alloc(4)]));
  assertRefused(/its tensors take 32 bytes, its data has 36/);
});

test('lengths and shapes are bounded before anything is allocated', () => {
  const data = new Uint8Array(8);
  writeRaw('{}', data, 2 ** 60);
  assertRefused(/its header claims/);
  writeRaw({ x: { dtype: 'F32', shape: [2 ** 40, 2 ** 10], data_offsets: [0, 8] } }, data);
  assertRefused(/takes .* bytes, found 8/);
  writeRaw({ x: { dtype: 'F32', shape: [2 ** 28], data_offsets: [0, 2 ** 30] } }, data);
  assertRefused(/ends at byte 1073741824/);
  writeRaw({ x: { dtype: 'F32', shape: [-2], data_offsets: [0, 8] } }, data);
  assertRefused(/shape/);
  writeRaw({ x: { dtype: 'F32', shape: [2], data_offsets: [8, 0] } }, data);
  assertRefused(/takes 8 bytes, found -8/);
});

test('garbage headers, other types, overlaps and gaps are refused', () => {
  const data = new Uint8Array(8);
  const float = (start: number) => ({ dtype: 'F32', shape: [1], data_offsets: [start, start + 4] });
  const cases: [unknown, RegExp][] = [
    ['not JSON', /not JSON/],
    [[1], /not a map/],
    ['null', /not a map/],
    [{ x: null }, /type/],
    [{ x: { ...float(0), dtype: 'F16' } }, /type "F16"/],
    [{ x: { ...float(0), data_offsets: [0] } }, /offsets/],
    [{ x: { ...float(0), data_offsets: ['0', '4'] } }, /offsets/],
    [{ x: float(0), y: float(0) }, /'y' starts at byte 0/],
    [{ x: float(4) }, /'x' starts at byte 4/],
    [{ __metadata__: { n: 1 }, x: float(0), y: float(4) }, /metadata/],
  ];
  for (const [header, pattern] of cases) {
    writeRaw(header, data);
    assertRefused(pattern);
  }
});

test('a missing file and a directory are the errors of the user', () => {
  file = path.join(folder, 'none');
  assertRefused(/no such file/);
  file = folder;
  assertRefused(/directory/);
  file = path.join(folder, 'model.safetensors');
});
