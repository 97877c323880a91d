import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PairSet } from '../../src/data/pair-set.js';

test('a hundred thousand pairs are told apart and found again', () => {
  const set = new PairSet();
  const count = 100_000;
  for (let i = 0; i < count; i++) assert.ok(set.add(`source ${i % 317}`, `target ${i}`));
  for (let i = 0; i < count; i++) assert.ok(!set.add(`source ${i % 317}`, `target ${i}`));
  assert.equal(set.size, count);
});
