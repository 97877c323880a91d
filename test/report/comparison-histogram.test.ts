import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { binAdvantages, countSides, histogram } from '../../src/report/comparison-histogram.js';
import { inRange } from '../../src/report/comparison-view.js';

test('segments are counted by who is better', () => {
  assert.deepEqual(
    countSides([3, 0, -1, 2, -0]).map(({ side, count }) => [side, count]),
    [
      [1, 2],
      [0, 2],
      [-1, 1],
    ],
  );
});

test('bins are round and the same on both sides, A on the left', () => {
  const bins = binAdvantages([12, 20, 3, 0, -20, -5]);
  assert.deepEqual(
    bins.map(({ side, low, high, count }) => [side * low, side * high, count]).filter(([, , count]) => count),
    [
      [18, 20, 1],
      [10, 12, 1],
      [2, 4, 1],
      [-4, -6, 1],
      [-18, -20, 1],
    ],
  );
  assert.equal(bins.length, 20);
  assert.equal(bins[0].side, 1);
});

test('every advantage is in the one bin that its range finds', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1 }), (advantages) => {
      const bins = binAdvantages(advantages);
      const uneven = advantages.filter((advantage) => advantage !== 0);
      assert.ok(bins.length <= 22, `${bins.length}`);
      assert.equal(
        bins.reduce((sum, { count }) => sum + count, 0),
        uneven.length,
      );
      for (const bin of bins)
        assert.equal(uneven.filter((advantage) => inRange(advantage, bin)).length, bin.count);
    }),
  );
});

test('a bar says in words what it shows and gives the range to filter by', () => {
  const html = histogram([10, 10, -3], 'BLEU');
  assert.match(html, /data-range="1 9 10" aria-pressed="false" title="A better by 9 to 10: 2 segments"/);
  assert.match(html, /data-range="-1 2 3" aria-pressed="false" title="B better by 2 to 3: 1 segment"/);
  assert.match(histogram([0, 0], 'BLEU'), /No segment differs/);
  assert.match(histogram([], 'BLEU'), /No segment differs/);
});
