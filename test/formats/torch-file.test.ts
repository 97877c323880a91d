import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { packageRoot } from '../../src/common/files.js';
import { Made, orderedDict, type PickleValue, pickle } from '../../src/formats/pickle.js';
import type { NamedArray } from '../../src/formats/safetensors.js';
import { openTorchFile, writeTorchFile } from '../../src/formats/torch-file.js';
import { halfToFloat } from '../../src/formats/torch-storage.js';
import { writeZip } from '../../src/formats/zip.js';

/** Of a tiny Admin model, saved by the official code with its optimizer and meters. */
const FIXTURES = path.join(packageRoot(), 'test/formats/fixtures/torch-save');
const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-torch-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, 'model.pt');

/** Every tensor under `model`, or in an OrderedDict that is all there is. */
function readAll(from: string): Map<string, NamedArray> {
  const torch = openTorchFile(from);
  try {
    const root = torch.value instanceof Map ? torch.value.get('model') : torch.value;
    const entries = root instanceof Made ? [...root.items] : [];
    return new Map(entries.map(([name, value]) => [String(name), torch.readTensor(value, String(name))]));
  } finally {
    torch.close();
  }
}

const TENSORS = new Map<string, NamedArray>([
  ['a', { shape: [2, 3], data: Float32Array.of(1, -0, Number.NaN, Infinity, 1e-42, 3) }],
  ['scalar', { shape: [], data: Float32Array.of(7) }],
  ['empty', { shape: [0, 4], data: new Float32Array(0) }],
]);

test('what is written is read again, bit by bit; a table with two names is stored once', () => {
  const shared = { shape: [1000], data: new Float32Array(1000).fill(0.1) };
  const tensors = new Map([...TENSORS, ['b', shared], ['c', shared]] as [string, NamedArray][]);
  writeTorchFile(file, tensors, (values) => orderedDict(values));
  const found = readAll(file);
  assert.deepEqual([...found.keys()], [...tensors.keys()]);
  for (const [name, { shape, data }] of tensors) {
    assert.deepEqual(found.get(name)!.shape, shape);
    assert.deepEqual(new Uint8Array(found.get(name)!.data.buffer), new Uint8Array(data.buffer), name);
  }
  assert.ok(fs.statSync(file).size < 8000);
});

test('both formats of PyTorch hold the same checkpoint', () => {
  const [legacy, zip] = ['legacy.pt', 'zip.pt'].map((name) => readAll(path.join(FIXTURES, name)));
  assert.ok(legacy.has('decoder.layers.0.encoder_ratio_change'));
  assert.deepEqual(legacy.get('encoder.layers.0.self_attn.in_proj_weight')!.shape, [24, 8]);
  assert.deepEqual([...zip], [...legacy]);
  assert.deepEqual(legacy.get('decoder.version')!.data, Float32Array.of(3));
});

test('half-precision numbers', () => {
  const cases = { 15360: 1, 49152: -2, 13653: 0.333251953125, 1: 2 ** -24, 31743: 65504, 64512: -Infinity };
  for (const [bits, value] of Object.entries(cases)) assert.equal(halfToFloat(Number(bits)), value);
  assert.ok(Number.isNaN(halfToFloat(0x7e00)));
});

const refused = (from: string, pattern: RegExp) =>
  assert.throws(
    () => readAll(from),
    (error) => error instanceof UserError && pattern.test(error.message) && error.message.includes(from),
  );

test('files of other kinds, and cut short, are refused', () => {
  fs.writeFileSync(file, 'no checkpoint');
  refused(file, /neither a zip nor a pickle/);
  fs.writeFileSync(file, pickle('no checkpoint'));
  refused(file, /magic number/);
  fs.writeFileSync(file, '');
  refused(file, /neither a zip nor a pickle/);
  writeZip(file, new Map([['a/other', Buffer.from('x')]]));
  refused(file, /no data\.pkl/);
  refused(path.join(folder, 'none.pt'), /no such file/);
  for (const name of ['legacy.pt', 'zip.pt']) {
    const bytes = fs.readFileSync(path.join(FIXTURES, name));
    for (const share of [0.1, 0.5, 0.9]) {
      fs.writeFileSync(file, bytes.subarray(0, Math.floor(share * bytes.length)));
      refused(file, /expected a checkpoint of torch\.save/);
    }
  }
});

test('a pickle that names a function is refused in both formats', () => {
  const evil = Buffer.from("cposix\nsystem\n(S'id'\ntR.");
  writeZip(file, new Map([['archive/data.pkl', evil]]));
  refused(file, /its pickle is refused: it names posix\.system/);
  const magic = Buffer.from('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.', 'latin1');
  fs.writeFileSync(
    file,
    Buffer.concat([magic, pickle(1001), pickle(new Map([['little_endian', true]])), evil]),
  );
  refused(file, /it names posix\.system/);
});

test('tensors that claim more than their storage has are refused', () => {
  const change = (from: number, to: number) => {
    writeTorchFile(file, new Map([['x', { shape: [3, 5], data: new Float32Array(15) }]]), (values) =>
      orderedDict(values),
    );
    const bytes = fs.readFileSync(file);
    const end = bytes.indexOf('archive/data/0'); // numbers of the pickle are before it
    const at = bytes.indexOf(Buffer.of(0x4a, from, 0, 0, 0));
    assert.ok(at !== -1 && at < end);
    bytes.writeInt32LE(to, at + 1);
    fs.writeFileSync(file, bytes);
  };
  change(3, 2 ** 31 - 1);
  refused(file, /reaches beyond its storage/);
  change(3, -3);
  refused(file, /not described as a tensor is/);
  change(5, 7);
  refused(file, /does not lie in one piece/);
});

const ROUNDS = 400;

/** Numbers from 0 to 1 that are the same in every run. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Changes, removes, repeats or inserts some bytes. */
function mutate(bytes: Buffer, next: () => number): Buffer {
  const mutated = [...Array(1 + Math.floor(3 * next()))].reduce<Buffer>((before) => {
    // Half of the time near the start or the end, where the structure is.
    const region = next() < 0.5 ? before.length : Math.min(6000, before.length);
    const offset = Math.floor(next() * region);
    const at = next() < 0.3 ? before.length - 1 - offset : offset;
    const length = 1 + Math.floor(8 * next());
    const [head, middle, tail] = [
      before.subarray(0, at),
      before.subarray(at, at + length),
      before.subarray(at + length),
    ];
    const noise = Buffer.from(Array.from({ length }, () => Math.floor(256 * next())));
    return Buffer.concat([
      head,
      [noise, Buffer.alloc(0), Buffer.concat([middle, middle]), Buffer.alloc(length, 255)][
        Math.floor(4 * next())
      ],
      tail,
    ]);
  }, bytes);
  return mutated;
}

for (const name of ['legacy.pt', 'zip.pt']) {
  test(`${name}: damaged at random, it is read or refused, within bounds`, (t) => {
    const bytes = fs.readFileSync(path.join(FIXTURES, name));
    const next = sequence(1);
    let refusals = 0;
    for (let round = 0; round < ROUNDS; round++) {
      fs.writeFileSync(file, mutate(bytes, next));
      let found: Map<string, NamedArray> | undefined;
      try {
        found = readAll(file);
      } catch (error) {
        if (!(error instanceof UserError)) throw new Error(`round ${round}`, { cause: error });
        refusals++;
      }
      for (const { shape, data } of found?.values() ?? []) {
        assert.equal(
          data.length,
          shape.reduce((product, axis) => product * axis, 1),
        );
        assert.ok(data.byteLength <= bytes.length + 100);
      }
    }
    t.diagnostic(`${refusals} of ${ROUNDS} refused`);
    assert.ok(refusals > ROUNDS / 10);
  });
}

test('names without end for one storage are refused', () => {
  const data = new Float32Array(100_000);
  const tensors = new Map(Array.from({ length: 5 }, (_, i) => [`x${i}`, { shape: [100_000], data }]));
  writeTorchFile(file, tensors, (values) => orderedDict(values));
  refused(file, /repeat their storages/);
});

test('a value of another kind where a tensor should be is refused', () => {
  writeTorchFile(file, TENSORS, (): PickleValue => orderedDict([['x', 'text']]));
  refused(file, /'x' is no tensor/);
});
