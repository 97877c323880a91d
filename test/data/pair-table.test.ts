import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PairTable } from '../../src/data/pair-table.js';

/** What a table holds, in an order of its own. */
function contents(table: PairTable): [string, number, number][] {
  const found: [string, number, number][] = [];
  table.forEach((source, target, probability, count) => {
    found.push([`${source} ${target}`, probability, count]);
  });
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
}

test('it counts pairs as a map does, however it grows, and keeps those that are wanted', () => {
  const pair = fc.tuple(fc.nat(90), fc.nat(90), fc.nat(7));
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 4000, size: 'max' }), fc.nat(3), (pairs, least) => {
      const table = new PairTable();
      const expected = new Map<string, number>();
      for (const [source, target, count] of pairs) {
        table.add(table.make(source, target), count);
        expected.set(`${source} ${target}`, (expected.get(`${source} ${target}`) ?? 0) + count);
      }
      table.keep((_, __, ___, count) => count >= least);
      const kept = [...expected].filter(([, count]) => count >= least).sort(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual(
        contents(table),
        kept.map(([key, count]) => [key, 0, count]),
      );
      assert.equal(table.size, kept.length);
    }),
    { seed: 4, numRuns: 40 },
  );
});

test('counts become probabilities, and what is not there has none', () => {
  const table = new PairTable();
  for (const [source, target, count] of [
    [0, 0, 1],
    [0, 7, 3],
    [5, 0, 2],
  ])
    table.add(table.make(source, target), count);
  table.normalize(Float64Array.of(4, 0, 0, 0, 0, 2));
  assert.deepEqual(contents(table), [
    ['0 0', 0.25, 0],
    ['0 7', 0.75, 0],
    ['5 0', 1, 0],
  ]);
  assert.equal(table.probability(table.find(0, 7)), 0.75);
  assert.equal(table.probability(table.find(7, 0)), 0);
  assert.equal(table.size, 3);
});

test('it grows past any size it had: 200 000 pairs', () => {
  const table = new PairTable();
  for (let i = 0; i < 200_000; i++) table.add(table.make(i % 500, (i * 7919) % 200_000), i);
  assert.equal(table.size, 200_000);
  table.forEach((source, _, __, count) => {
    assert.equal(source, count % 500);
  });
});
