import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { DatasetWriter, indexBytes, remapIds } from '../../src/data/dataset-writer.js';
import { IndexedDataset } from '../../src/data/indexed-dataset.js';
import { fixtures, refusal, scratchFolder, writeFiles } from './scratch.js';

const folder = scratchFolder();
const EOS = 2;

/** All items of a dataset. */
function itemsOf(prefix: string): number[][] {
  const dataset = IndexedDataset.open(prefix);
  const items = Array.from({ length: dataset.length }, (_, i) => [...dataset.get(i)]);
  assert.deepEqual(
    [...dataset.sizes],
    items.map((item) => item.length),
  );
  dataset.close();
  return items;
}

function write(prefix: string, vocabularySize: number, items: readonly number[][]): void {
  const writer = new DatasetWriter(prefix, vocabularySize);
  for (const item of items) writer.add([...item, EOS]);
  writer.finish();
}

test('datasets of the official code are read, and written byte for byte', () => {
  const expected: [name: string, items: number[][], vocabularySize: number | undefined][] = [
    ['wide', [[69999, 4, 2], [2], [65535, 65536, 2]], 70_000],
    ['long', [[69999, 4, 2], [2], [65535, 65536, 2]], undefined],
    [
      'joint/valid.en-it.en',
      [
        [5, 12, 23, 18, 3, 2],
        [9, 2],
      ],
      32,
    ],
  ];
  for (const [name, items, vocabularySize] of expected) {
    assert.deepEqual(itemsOf(path.join(fixtures, name)), items, name);
    if (vocabularySize === undefined) continue;
    const ours = path.join(folder, path.basename(name));
    write(
      ours,
      vocabularySize,
      items.map((item) => item.slice(0, -1)),
    );
    for (const end of ['.bin', '.idx']) {
      assert.deepEqual(readFileSync(ours + end), readFileSync(path.join(fixtures, name) + end), name + end);
    }
  }
});

test('items whose places do not fit into one read of the index', () => {
  const prefix = path.join(folder, 'many');
  const count = 2 ** 16 + 3;
  const item = (i: number): number[] => [4 + (i % 90)];
  write(
    prefix,
    100,
    Array.from({ length: count }, (_, i) => item(i)),
  );
  const dataset = IndexedDataset.open(prefix);
  assert.equal(dataset.length, count);
  for (const i of [0, 2 ** 16 - 1, 2 ** 16, count - 1])
    assert.deepEqual([...dataset.get(i)], [...item(i), EOS]);
  dataset.close();
});

test('what is written is read again', () => {
  const items = (most: number) => fc.array(fc.array(fc.nat(most), { maxLength: 30 }), { maxLength: 50 });
  const cases = fc.oneof(
    fc.record({ vocabularySize: fc.constant(65_499), items: items(65_498) }),
    fc.record({ vocabularySize: fc.constant(2 ** 31), items: items(2 ** 31 - 1) }),
  );
  const prefix = path.join(folder, 'property');
  fc.assert(
    fc.property(cases, ({ vocabularySize, items }) => {
      write(prefix, vocabularySize, items);
      assert.deepEqual(
        itemsOf(prefix),
        items.map((item) => [...item, EOS]),
      );
    }),
    { numRuns: 50 },
  );
});

test('more items than the buffers hold, remapped in place', () => {
  for (const vocabularySize of [1000, 70_000]) {
    const prefix = path.join(folder, 'long');
    const items = Array.from({ length: 20_000 }, (_, i) =>
      Array.from({ length: i % 20 }, (_, j) => (i + j) % 1000),
    );
    write(prefix, vocabularySize, items);
    const table = Int32Array.from({ length: 1000 }, (_, id) => (id * 7) % 1000);
    remapIds(prefix, vocabularySize, table);
    assert.deepEqual(
      itemsOf(prefix),
      items.map((item) => [...item, EOS].map((id) => table[id])),
    );
  }
});

test('the type of the ids is that of fairseq', () => {
  for (const [vocabularySize, code] of [
    [65_499, 8],
    [65_500, 4],
  ]) {
    write(path.join(folder, 'type'), vocabularySize, [[1]]);
    assert.equal(readFileSync(path.join(folder, 'type.idx'))[17], code);
  }
});

test('nothing appears before finish, and discard leaves nothing', () => {
  const place = scratchFolder();
  const writer = new DatasetWriter(path.join(place, 'x'), 100);
  writer.add([5, EOS]);
  assert.deepEqual(
    readdirSync(place).filter((name) => name.startsWith('x')),
    [],
  );
  writer.discard();
  assert.deepEqual(readdirSync(place), []);
});

/** A whole dataset of two items to damage. */
function sample(): { prefix: string; idx: string; bin: string; index: Buffer } {
  const prefix = path.join(folder, 'sample');
  write(prefix, 100, [
    [10, 11],
    [12, 13, 14],
  ]);
  return { prefix, idx: `${prefix}.idx`, bin: `${prefix}.bin`, index: readFileSync(`${prefix}.idx`) };
}

test('a file cut at any byte is refused by name', () => {
  const { prefix, idx, bin, index } = sample();
  for (let length = 0; length < index.length; length++) {
    writeFileSync(idx, index.subarray(0, length));
    assert.throws(() => IndexedDataset.open(prefix), refusal(/sample\.idx: /), `cut to ${length} bytes`);
  }
  writeFileSync(idx, Buffer.concat([index, Buffer.alloc(1)]));
  assert.throws(() => IndexedDataset.open(prefix), refusal(/sample\.idx: expected 50 bytes.*found 51/));
  writeFileSync(idx, index);
  const data = readFileSync(bin);
  for (let length = 0; length < data.length; length++) {
    writeFileSync(bin, data.subarray(0, length));
    assert.throws(() => IndexedDataset.open(prefix), refusal(/sample\.bin: expected at least \d+ bytes/));
  }
});

test('any byte of the header set to 0xff is refused', () => {
  const { prefix, idx, index } = sample();
  for (let at = 0; at < 26; at++) {
    const garbage = Buffer.from(index);
    garbage[at] = 0xff;
    writeFileSync(idx, garbage);
    assert.throws(() => IndexedDataset.open(prefix), refusal(/sample\.idx: /), `byte ${at}`);
  }
});

test('headers that claim what is not there: sizes, pointers, floats, older formats', () => {
  const { prefix, idx, index } = sample();
  const open = (change: (index: Buffer) => void): (() => void) => {
    const changed = Buffer.from(index);
    change(changed);
    writeFileSync(idx, changed);
    return () => IndexedDataset.open(prefix).close();
  };
  assert.doesNotThrow(open(() => {}));
  assert.throws(
    open((b) => b.writeBigUInt64LE(2n ** 60n, 18)),
    refusal(/1152921504606846976 items/),
  );
  assert.throws(
    open((b) => b.writeInt32LE(-1, 26)),
    refusal(/idx: item 0/),
  );
  assert.throws(
    open((b) => b.writeInt32LE(2 ** 30, 26)),
    refusal(/bin: expected at least/),
  );
  assert.throws(
    open((b) => b.writeBigInt64LE(2n ** 62n, 34)),
    refusal(/bin: expected at least/),
  );
  assert.throws(
    open((b) => b.writeBigInt64LE(-8n, 42)),
    refusal(/idx: item 1/),
  );
  for (const code of [0, 6, 7, 9]) {
    assert.throws(
      open((b) => b.writeUInt8(code, 17)),
      refusal(/integer type, found/),
    );
  }
  assert.throws(
    open((b) => b.write('TNTIDX\0\0')),
    refusal(/--dataset-impl mmap/),
  );
});

test('a .bin that shrinks under an open dataset, ids beyond 32 bits, a missing file', () => {
  const { prefix, bin } = sample();
  const dataset = IndexedDataset.open(prefix);
  truncateSync(bin, 7);
  assert.deepEqual([...dataset.get(0)], [10, 11, 2]);
  assert.throws(() => dataset.get(1), refusal(/sample\.bin: expected 8 bytes at 6/));
  assert.throws(() => [...dataset.items()], refusal(/sample\.bin: expected 14 bytes at 0/));
  dataset.close();

  const long = readFileSync(path.join(fixtures, 'long.bin'));
  long.writeBigInt64LE(2n ** 40n, 0);
  writeFiles(folder, { 'huge.bin': long, 'huge.idx': readFileSync(path.join(fixtures, 'long.idx')) });
  const huge = IndexedDataset.open(path.join(folder, 'huge'));
  assert.throws(() => huge.get(0), refusal(/huge\.bin: .*1099511627776/));
  huge.close();

  assert.throws(() => IndexedDataset.open(path.join(folder, 'absent')), refusal(/absent\.idx: no such file/));
  writeFiles(folder, { 'lone.idx': readFileSync(path.join(fixtures, 'long.idx')) });
  assert.throws(() => IndexedDataset.open(path.join(folder, 'lone')), refusal(/lone\.bin: no such file/));
});

test('the hash changes with the content', () => {
  const hash = (vocabularySize: number, items: number[][]): string => {
    write(path.join(folder, 'hash'), vocabularySize, items);
    const dataset = IndexedDataset.open(path.join(folder, 'hash'));
    const { hash } = dataset;
    dataset.close();
    return hash;
  };
  const base = hash(100, [[4, 5], [6]]);
  assert.equal(hash(100, [[4, 5], [6]]), base);
  for (const other of [hash(100, [[4], [5, 6]]), hash(100, [[4, 5], [7]]), hash(70_000, [[4, 5], [6]])]) {
    assert.notEqual(other, base);
  }
});

test('all items are those that are read one by one', () => {
  for (const name of ['long', 'apart/train.en-it.en']) {
    const dataset = IndexedDataset.open(path.join(fixtures, name));
    assert.deepEqual(
      [...dataset.items()],
      Array.from({ length: dataset.length }, (_, i) => dataset.get(i)),
    );
    dataset.close();
  }
});

test('items that start beyond 4 GiB have both words of their place in the index', () => {
  const sizes = Int32Array.of(2 ** 31 - 1, 2 ** 31 - 1, 5);
  for (const [code, width] of [
    [8, 2],
    [4, 4],
  ] as const) {
    const index = indexBytes(sizes, code);
    const places = [0, 1, 2].map((i) => index.readBigUInt64LE(index.length - 8 * (3 - i)));
    assert.deepEqual(places, [0n, BigInt(width * (2 ** 31 - 1)), BigInt(width * 2 * (2 ** 31 - 1))]);
  }
});
