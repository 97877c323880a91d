import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SegmentStatistics } from '../../src/metrics/segment-statistics.js';

test('segments are kept in their order, however many there are', () => {
  const segments = new SegmentStatistics();
  for (let i = 0; i < 3000; i++) segments.add([i, 1, 0.5]);
  assert.deepEqual([segments.size, segments.width, segments.values.length], [3000, 3, 9000]);
  assert.deepEqual(Array.from(segments.values.slice(-3)), [2999, 1, 0.5]);
  assert.deepEqual(Array.from(segments.sum()), [4498500, 3000, 1500]);
});

test('segments that differ are counted once, wherever they do', () => {
  const of = (...rows: number[][]) => {
    const segments = new SegmentStatistics();
    for (const row of rows) segments.add(row);
    return segments;
  };
  const one = of([1, 2], [3, 4], [5, 6], [7, 8]);
  assert.equal(one.countDiffering(of([1, 2], [0, 4], [5, 0], [0, 0])), 3);
  assert.equal(one.countDiffering(one), 0);
});
