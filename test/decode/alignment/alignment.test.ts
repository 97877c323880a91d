import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignmentOf, pharaoh, roundedWeights, strongest } from '../../../src/decode/alignment/alignment.js';

/** Four source tokens and three target tokens, `</s>` the last of either. */
const matrix = {
  rows: 3,
  columns: 4,
  weights: Float32Array.of(
    ...[0.1, 0.2, 0.1, 0.6], // </s> has most of it, and counts for nothing
    ...[0.3, 0.1, 0.5, 0.1],
    ...[0.25, 0.25, 0.25, 0.25],
  ),
};
const source = { pieces: ['▁a', 'b', '▁c'], words: ['ab', 'c'], wordOf: [0, 0, 1] };
const target = { pieces: ['▁x', 'y'], words: ['xy'], wordOf: [0, 0] };
const best = strongest(matrix);

test('the strongest source token of each target token, </s> aside', () => {
  assert.deepEqual(best, [1, 2]);
  assert.deepEqual(strongest({ rows: 2, columns: 1, weights: Float32Array.of(1, 1) }), [-1]);
  assert.deepEqual(strongest({ rows: 1, columns: 3, weights: Float32Array.of(1, 0, 0) }), []);
  const equal = { rows: 2, columns: 3, weights: Float32Array.of(0.3, 0.3, 0.4, 0, 0, 1) };
  assert.deepEqual(strongest(equal), [0], 'the first of equals');
});

test('of pieces', () => {
  const found = alignmentOf(matrix, best, source, target, 'piece');
  assert.equal(pharaoh(found), '1-0 2-1');
  assert.deepEqual([found.source, found.target], [source.pieces, target.pieces]);
  assert.deepEqual(roundedWeights(found), [
    [0.1, 0.2, 0.1, 0.6],
    [0.3, 0.1, 0.5, 0.1],
    [0.25, 0.25, 0.25, 0.25],
  ]);
});

test('of words: linked where a piece is; the mean of its pieces attends to the sum of those of another', () => {
  const found = alignmentOf(matrix, best, source, target, 'word');
  assert.equal(pharaoh(found), '0-0 1-0');
  assert.deepEqual([found.source, found.target], [source.words, target.words]);
  assert.deepEqual(roundedWeights(found), [
    [0.35, 0.3, 0.35],
    [0.5, 0.25, 0.25],
  ]);
});

test('links are there once, in the order of the target, then of the source', () => {
  const pieces = { pieces: ['a', 'b', 'c'], words: ['a', 'bc'], wordOf: [0, 1, 1] };
  const three = { rows: 4, columns: 4, weights: new Float32Array(16) };
  const found = alignmentOf(three, [2, 1, 0], pieces, pieces, 'word');
  assert.deepEqual(found.links, [
    [1, 0],
    [0, 1],
    [1, 1],
  ]);
  assert.equal(pharaoh(alignmentOf(three, [-1, -1, -1], pieces, pieces, 'word')), '');
});
