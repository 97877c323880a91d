import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviation, mean, median } from '../../src/common/statistics.js';

test('mean and standard deviation of a sample', () => {
  assert.deepEqual([mean([1, 2, 6]), deviation([1, 3])], [3, Math.SQRT2]);
  assert.equal(deviation([5]), null);
});

test('median', () => {
  const values = [3, 1, 10, 2];
  assert.deepEqual([median(values), median([3, 1, 2]), median([7])], [3, 2, 7]);
  assert.deepEqual(values, [3, 1, 10, 2]);
});
