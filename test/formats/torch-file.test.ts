import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { packageRoot } from '../../src/common/files.js';
import {
  Global,
  Made,
  orderedDict,
  Persistent,
  type PickleValue,
  pickle,
  Tuple,
} from '../../src/formats/pickle.js';
import type { NamedArray } from '../../src/formats/safetensors.js';
import { openTorchFile, writeTorchFile } from '../../src/formats/torch-file.js';
import { halfToFloat } from '../../src/formats/torch-storage.js';
import { readZipDirectory, writeZip } from '../../src/formats/zip.js';

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

test('bfloat16: the upper half of a float', () => {
  writeTorchFile(file, new Map([['x', { shape: [2], data: Float32Array.of(1, 2) }]]), (values) =>
    orderedDict(values),
  );
  const storage = Buffer.from('FloatStorage\n');
  const entries = entriesOf(file);
  const saved = entries.get('archive/data.pkl')!;
  const at = saved.indexOf(storage);
  const name = Buffer.from('BFloat16Storage\n');
  entries.set(
    'archive/data.pkl',
    Buffer.concat([saved.subarray(0, at), name, saved.subarray(at + storage.length)]),
  );
  entries.set('archive/data/0', Buffer.of(0x80, 0xbf, 0x49, 0x40));
  writeZip(file, entries);
  assert.deepEqual(readAll(file).get('x')!.data, Float32Array.of(-1, 3.140625));
});

/** The files of an archive. */
function entriesOf(archive: string): Map<string, Buffer> {
  const bytes = fs.readFileSync(archive);
  const read = (start: number, count: number): Buffer => bytes.subarray(start, start + count);
  const entries = readZipDirectory(read, bytes.length, (problem) => new UserError({ problem }));
  return new Map([...entries].map(([name, { start, bytes: count }]) => [name, read(start, count)]));
}

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
    const entries = entriesOf(file);
    const saved = Buffer.from(entries.get('archive/data.pkl')!);
    const at = saved.indexOf(Buffer.of(0x4a, from, 0, 0, 0));
    assert.ok(at !== -1);
    saved.writeInt32LE(to, at + 1);
    writeZip(file, entries.set('archive/data.pkl', saved)); // with the sums of what is in it now
  };
  change(3, 2 ** 31 - 1);
  refused(file, /reaches beyond its storage/);
  change(3, -3);
  refused(file, /not described as a tensor is/);
  change(5, 7);
  refused(file, /does not lie in one piece/);
});

test('a storage whose type is none is refused', () => {
  const type = new Global('collections', 'OrderedDict');
  const storage = new Persistent(new Tuple(['storage', type, '0', 'cpu', 1]));
  const rebuild = new Global('torch._utils', '_rebuild_tensor_v2');
  const view = [0, new Tuple([1]), new Tuple([1]), false, orderedDict([])] as const;
  const tensor = new Made(rebuild, new Tuple([storage, ...view]));
  writeZip(
    file,
    new Map([
      ['archive/data.pkl', pickle(orderedDict([['x', tensor]]))],
      ['archive/data/0', Buffer.alloc(4)],
    ]),
  );
  refused(file, /'x' /);
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

test('a protocol that is nested, or shared at every level, is refused at once', () => {
  const magic = Buffer.from('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.', 'latin1');
  for (const value of [
    `${']'.repeat(100_000)}${'a'.repeat(99_999)}`,
    `]q\x07${']q\x08h\x07ah\x07aq\x07'.repeat(60)}`,
  ]) {
    fs.writeFileSync(file, Buffer.concat([magic, Buffer.from(`\x80\x02${value}.`, 'latin1')]));
    refused(file, /it is of protocol another kind, expected 1001/);
  }
});

test('names without end for one storage are refused', () => {
  const data = new Float32Array(100_000);
  const tensors = new Map(Array.from({ length: 5 }, (_, i) => [`x${i}`, { shape: [100_000], data }]));
  writeTorchFile(file, tensors, (values) => orderedDict(values));
  refused(file, /repeat their storages/);
});

/** Offsets of the headers of a file in an archive: in the directory, and before its data. */
function headersOf(bytes: Buffer, name: string): { central: number; local: number } {
  return { central: bytes.lastIndexOf(name) - 46, local: bytes.indexOf(name) - 30 };
}

test('one bit of any file of the archive that is read, and it is refused by name', () => {
  const original = fs.readFileSync(path.join(FIXTURES, 'zip.pt'));
  for (const [name, pattern] of [
    ['zip/data.pkl', /'zip\/data\.pkl' is not as it was written: expected CRC-32 \w{8}, found \w{8}/],
    ['zip/data/1', /'zip\/data\/1' is not as it was written/],
  ] as const) {
    for (const bit of [0, 7]) {
      const bytes = Buffer.from(original);
      const { local } = headersOf(bytes, name);
      const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
      bytes[start + 3] ^= 1 << bit;
      fs.writeFileSync(file, bytes);
      refused(file, pattern);
    }
  }
});

test('a storage of which a tensor takes a part is compared as a whole', () => {
  const data = new Float32Array(1000).fill(1);
  writeTorchFile(file, new Map([['x', { shape: [1000], data }]]), ([[, whole]]) => {
    const [storage, , , ...rest] = (whole as Made).args.items;
    const part = new Tuple([storage, 4, new Tuple([8]), ...rest]);
    return orderedDict([['part', new Made((whole as Made).by, part)]]);
  });
  assert.equal(readAll(file).get('part')!.data.length, 8);
  const bytes = fs.readFileSync(file);
  bytes[bytes.indexOf(Buffer.from(data.buffer)) + 3999] ^= 1;
  fs.writeFileSync(file, bytes);
  refused(file, /'archive\/data\/0' is not as it was written/);
});

test('archives without sums, as PyTorch can write them, are read; one with some of them 0 is not', () => {
  writeTorchFile(file, TENSORS, (values) => orderedDict(values));
  const bytes = fs.readFileSync(file);
  const names = [...entriesOf(file).keys()];
  const clear = (name: string): void => {
    bytes.writeUInt32LE(0, headersOf(bytes, name).central + 16);
    fs.writeFileSync(file, bytes);
  };
  clear(names[0]);
  refused(file, /'archive\/data\.pkl' is not as it was written/);
  for (const name of names) clear(name);
  assert.equal(readAll(file).size, TENSORS.size);
});

test('directories that contradict their files, or themselves, are refused', () => {
  writeTorchFile(file, TENSORS, (values) => orderedDict(values));
  const original = fs.readFileSync(file);
  const change = (pattern: RegExp, edit: (bytes: Buffer, at: { central: number; local: number }) => void) => {
    const bytes = Buffer.from(original);
    edit(bytes, headersOf(bytes, 'archive/data/0'));
    fs.writeFileSync(file, bytes);
    refused(file, pattern);
  };
  const end = original.length - 22;
  change(/encrypted/, (bytes, { central }) => bytes.writeUInt16LE(0x801, central + 8));
  change(/compressed/, (bytes, { central }) => bytes.writeUInt16LE(8, central + 10));
  change(/directory is damaged/, (bytes, { central }) => bytes.writeUInt32LE(7, central + 20));
  change(/does not fit 'archive\/data\/9'/, (bytes, { central }) => bytes.write('9', central + 46 + 13));
  change(/does not fit 'archive\/data\/0'/, (bytes, { local }) => bytes.write('9', local + 30 + 13));
  change(/'archive\/data\/0' twice/, (bytes, { central, local }) => {
    const other = headersOf(bytes, 'archive/data/1');
    bytes.copy(bytes, other.central, central, central + 46 + 14);
    bytes.copy(bytes, other.local, local, local + 30);
  });
  change(/directory is damaged/, (bytes) => bytes.writeUInt16LE(bytes.readUInt16LE(end + 10) - 1, end + 10));
  change(/zip64/, (bytes) => bytes.writeUInt16LE(0xffff, end + 10));
  change(/zip64/, (bytes) => bytes.writeUInt32LE(0xffffffff, end + 16));
});

test('a storage of another length than its description is refused', () => {
  const [shape, data] = [[3], Float32Array.of(1, 2, 3)];
  writeTorchFile(file, new Map([['x', { shape, data }]]), (values) => orderedDict(values));
  const entries = entriesOf(file);
  entries.set('archive/data/0', Buffer.alloc(16));
  writeZip(file, entries);
  refused(file, /'x' has a storage of 3 numbers, found 16 bytes/);
});

test('a value of another kind where a tensor should be is refused', () => {
  writeTorchFile(file, TENSORS, (): PickleValue => orderedDict([['x', 'text']]));
  refused(file, /'x' is no tensor/);
});
