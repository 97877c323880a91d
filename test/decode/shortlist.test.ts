import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shortlist } from '../../src/decode/shortlist.js';

/** Source ids 0 to 6; 4 becomes 9 or 7, 5 nothing, 6 becomes 8. */
const lexicon = {
  offsets: Int32Array.of(0, 0, 0, 1, 1, 3, 3, 4),
  targets: Int32Array.of(5, 9, 7, 8),
  probabilities: Float32Array.of(1, 0.6, 0.4, 1),
  frequencies: Float64Array.of(0, 0, 99, 70, 50, 40, 40, 60, 0, 7),
};

test('what a translation may have: special symbols, the frequent ones, those of each source id', () => {
  const shortlist = Shortlist.of(lexicon, 1);
  const of = (...ids: number[]) => [...shortlist.candidates(Int32Array.from(ids))];
  assert.deepEqual(of(), [0, 1, 2, 3, 7]);
  assert.deepEqual(of(5, 1), [0, 1, 2, 3, 7]);
  assert.deepEqual(of(4, 6, 4, 2), [0, 1, 2, 3, 5, 7, 8, 9]);
  assert.deepEqual([...shortlist.parts.counts], [0, 0, 1, 0, 2, 0, 1]);
});

test('the frequent ones are those seen most often, ties to the lower id; what was never seen is none of them', () => {
  const frequent = (first: number) => [...Shortlist.of(lexicon, first).parts.frequent];
  assert.deepEqual(frequent(0), []);
  assert.deepEqual(frequent(3), [7, 4, 5]);
  assert.deepEqual(frequent(100), [7, 4, 5, 6, 9]);
});
