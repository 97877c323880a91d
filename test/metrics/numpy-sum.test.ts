import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numpyMean, preciseMean } from '../../src/metrics/numpy-sum.js';

test('np.mean of single precision, over all lengths of its blocks', () => {
  const values = Float64Array.from({ length: 300 }, (_, i) => Math.fround((i + 1) / 7));
  assert.equal(numpyMean(values, true), 21.5);
  assert.equal(numpyMean(values.subarray(0, 5), true), 0.4285714030265808);
  assert.equal(numpyMean(values.subarray(0, 100), true), 7.214285373687744);
});

test('the precise mean keeps what a plain sum loses', () => {
  assert.equal(preciseMean([1e16, 1, 1, -1e16]), 0.5);
});
