import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unigramLoss } from '../../../src/train/doctor/unigram.js';

/** Pairs with these target sentences. */
const pairsOf = (...targets: number[][]) => ({
  sourceLengths: new Int32Array(targets.length),
  targetLengths: Int32Array.from(targets, ({ length }) => length),
  pair: (i: number) => ({ source: new Int32Array(0), target: Int32Array.from(targets[i]) }),
});

test('the entropy of the words of the target side, </s> counted', () => {
  // </s> 2 of 8, one word 4 of 8, another 2 of 8: 1/4·2 + 1/2·1 + 1/4·2
  assert.equal(unigramLoss(pairsOf([4, 4, 5, 2], [4, 5, 4, 2]), 9, 0), 1.5);
});

test('with label smoothing the loss of the best distribution, which is smoothed', () => {
  const loss = unigramLoss(pairsOf([4, 4, 4, 2]), 4, 0.2);
  assert.ok(Math.abs(loss + 0.75 * Math.log2(0.65) + 0.25 * Math.log2(0.25)) < 1e-12);
  assert.ok(loss > unigramLoss(pairsOf([4, 4, 4, 2]), 4, 0));
});

test('a large split is counted in part, segmented anew where training does it', () => {
  let read = 0;
  const size = 250_000;
  const pairs = {
    sourceLengths: new Int32Array(size),
    targetLengths: new Int32Array(size),
    pair: (i: number) => {
      read++;
      return { source: new Int32Array(0), target: Int32Array.of(i % 2, 2) };
    },
  };
  assert.ok(Math.abs(unigramLoss(pairs, 3, 0) - 1.5) < 0.01);
  assert.equal(read, 100_000);
  const loss = unigramLoss(pairs, 3, 0, (pair) => ({ ...pair, target: Int32Array.of(2) }));
  assert.equal(loss, 0);
  assert.equal(read, 120_000);
});
