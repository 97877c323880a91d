import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FilterOptions, PairFilter } from '../../src/data/filters.js';

const off: FilterOptions = { minLength: 0, maxLength: 1000, maxRatio: null, deduplicate: false };

test('lengths and ratio, limits included', () => {
  const filter = new PairFilter({ ...off, minLength: 2, maxLength: 6, maxRatio: 2 });
  const keeps = (source: number, target: number): boolean => filter.keeps('a', 'b', source, target);
  assert.deepEqual(
    [keeps(2, 2), keeps(6, 6), keeps(2, 4), keeps(4, 2), keeps(3, 6)],
    [true, true, true, true, true],
  );
  assert.deepEqual([keeps(1, 2), keeps(2, 0), keeps(7, 6), keeps(6, 7)], [false, false, false, false]);
  assert.deepEqual([keeps(2, 5), keeps(5, 2)], [false, false]);
  assert.deepEqual(filter.dropped, { 'min-length': 2, 'max-length': 2, 'max-ratio': 2, duplicate: 0 });
});

test('an empty side has no ratio but with an empty one', () => {
  const filter = new PairFilter({ ...off, maxRatio: 3 });
  assert.ok(filter.keeps('', '', 0, 0));
  assert.ok(!filter.keeps('', 'x', 0, 1));
});

test('the first of identical pairs is kept', () => {
  const filter = new PairFilter({ ...off, deduplicate: true });
  const keeps = (source: string, target: string): boolean => filter.keeps(source, target, 1, 1);
  assert.deepEqual(
    [keeps('a', 'b'), keeps('a', 'c'), keeps('b', 'a'), keeps('ab', '')],
    [true, true, true, true],
  );
  assert.deepEqual([keeps('a', 'b'), keeps('b', 'a')], [false, false]);
  assert.equal(filter.dropped.duplicate, 2);
  const lax = new PairFilter(off);
  assert.ok(lax.keeps('a', 'b', 1, 1) && lax.keeps('a', 'b', 1, 1));
});
