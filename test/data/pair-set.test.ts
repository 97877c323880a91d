import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashPair, PairSet } from '../../src/data/pair-set.js';

const hashOf = (source: string, target: string) => hashPair(Buffer.from(source), Buffer.from(target));

test('a hundred thousand pairs are told apart and found again', () => {
  const set = new PairSet();
  const count = 100_000;
  for (let i = 0; i < count; i++) assert.ok(set.add(...hashOf(`source ${i % 317}`, `target ${i}`)));
  for (let i = 0; i < count; i++) assert.ok(!set.add(...hashOf(`source ${i % 317}`, `target ${i}`)));
  assert.equal(set.size, count);
});

test('where one side ends is part of a pair, and so is which side it is', () => {
  const pairs = [
    ['a', 'b'],
    ['b', 'a'],
    ['ab', ''],
    ['', 'ab'],
  ];
  assert.equal(new Set(pairs.map(([source, target]) => String(hashOf(source, target)))).size, pairs.length);
});
