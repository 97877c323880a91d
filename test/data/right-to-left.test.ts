import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packBatch } from '../../src/data/batch.js';
import type { TrainingSplit } from '../../src/data/corpus-mix.js';
import { asWritten, backwards, batchBackwards, resegmentBackwards } from '../../src/data/right-to-left.js';

const EOS = 2;
const PAIRS = [
  { source: Int32Array.of(4, 5, EOS), target: Int32Array.of(6, 7, 8, EOS) },
  { source: Int32Array.of(EOS), target: Int32Array.of(EOS) },
  { source: Int32Array.of(9, EOS), target: Int32Array.of(10, EOS) },
];
const split: TrainingSplit = {
  sourceLengths: Int32Array.of(3, 1, 2),
  targetLengths: Int32Array.of(4, 1, 2),
  ...{ size: 3, hash: 'the hash' },
  pair: (index) => PAIRS[index],
  pairs: async (indices) => Array.from(indices, (index) => PAIRS[index]),
  close: () => {},
};

test('a sentence is turned but for its end, and what it was is untouched', () => {
  const ids = Int32Array.of(6, 7, 8, EOS);
  assert.deepEqual(backwards(ids), Int32Array.of(8, 7, 6, EOS));
  assert.deepEqual(ids, Int32Array.of(6, 7, 8, EOS));
  assert.deepEqual(backwards(Int32Array.of(EOS)), Int32Array.of(EOS));
  assert.deepEqual(backwards(new Int32Array(0)), new Int32Array(0));
});

test('a split has turned targets, one by one and together, and is the same split otherwise', async () => {
  assert.equal(asWritten({ rightToLeft: false }, split), split);
  const turned = asWritten({ rightToLeft: true }, split);
  assert.deepEqual(turned.pair(0), { source: PAIRS[0].source, target: Int32Array.of(8, 7, 6, EOS) });
  assert.deepEqual(await turned.pairs(Int32Array.of(2, 0)), [turned.pair(2), turned.pair(0)]);
  assert.deepEqual([turned.size, turned.hash, 'draw' in turned], [3, 'the hash', false]);
  const draw = () => ({ ...split, indices: Int32Array.of(0) });
  assert.equal(asWritten({ rightToLeft: true }, { ...split, draw }).draw, draw);
});

test('links go with the tokens of a target that is turned', () => {
  const linked = { ...split, pair: () => ({ ...PAIRS[0], links: Int32Array.of(0, 0, 1, 2, 2, 3) }) };
  assert.deepEqual(asWritten({ rightToLeft: true }, linked).pair(0).links, Int32Array.of(0, 2, 1, 0, 2, 3));
});

test('BPE-dropout sees a target as it is read', () => {
  const seen: number[][] = [];
  const resegment = resegmentBackwards((pair) => {
    seen.push([...pair.target]);
    return { source: pair.source, target: Int32Array.of(11, 12, 13, 14, EOS) };
  });
  const { target } = resegment(asWritten({ rightToLeft: true }, split).pair(0), 0, 1);
  assert.deepEqual(seen, [[6, 7, 8, EOS]]);
  assert.deepEqual(target, Int32Array.of(14, 13, 12, 11, EOS));
});

test('a batch is that of the turned pairs', () => {
  const turned = asWritten({ rightToLeft: true }, split);
  assert.deepEqual(
    batchBackwards(packBatch([0, 1, 2], PAIRS, EOS)),
    packBatch(
      [0, 1, 2],
      PAIRS.map((_, i) => turned.pair(i)),
      EOS,
    ),
  );
});
