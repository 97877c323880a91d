import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FilterOptions, reasonToDrop } from '../../src/data/filters.js';

const off: FilterOptions = { minLength: 0, maxLength: 1000, maxRatio: null, deduplicate: false };

test('lengths and ratio, limits included', () => {
  const options = { ...off, minLength: 2, maxLength: 6, maxRatio: 2 };
  const reason = (source: number, target: number) => reasonToDrop(options, source, target);
  for (const [source, target] of [
    [2, 2],
    [6, 6],
    [2, 4],
    [4, 2],
    [3, 6],
  ])
    assert.equal(reason(source, target), undefined);
  assert.deepEqual([reason(1, 2), reason(2, 0)], ['min-length', 'min-length']);
  assert.deepEqual([reason(7, 6), reason(6, 7)], ['max-length', 'max-length']);
  assert.deepEqual([reason(2, 5), reason(5, 2)], ['max-ratio', 'max-ratio']);
});

test('an empty side has no ratio but with an empty one', () => {
  assert.equal(reasonToDrop({ ...off, maxRatio: 3 }, 0, 0), undefined);
  assert.equal(reasonToDrop({ ...off, maxRatio: 3 }, 0, 1), 'max-ratio');
});
