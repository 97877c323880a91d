import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alone } from '../../src/common/communicator.js';
import { describeRanks, threadsOfRanks } from '../../src/distributed/processors.js';
import { rankOf } from './ranks-in-a-row.js';

const threads = (hosts: string[], masks: [processors: string, count: number][]): number[] =>
  threadsOfRanks(
    rankOf(
      hosts,
      masks.map(([processors, count]) => ({ processors, count })),
    ),
  );

test('ranks that are bound take their processors, others share out those of their host', () => {
  assert.deepEqual(
    threads(
      ['a', 'a'],
      [
        ['0-3', 4],
        ['4-7', 4],
      ],
    ),
    [4, 4],
  );
  assert.deepEqual(
    threads(
      ['a', 'a', 'b'],
      [
        ['0-7', 8],
        ['0-7', 8],
        ['0-7', 8],
      ],
    ),
    [4, 4, 8],
  );
  assert.deepEqual(
    threads(
      ['a', 'a', 'a'],
      [
        ['0-1', 2],
        ['0-1', 2],
        ['0-1', 2],
      ],
    ),
    [1, 1, 1],
  );
  assert.ok(threadsOfRanks(alone)[0] >= 1);
});

test('ranks, threads and hosts are said in a line', () => {
  const ranks = rankOf(['a', 'a', 'b'], []);
  assert.equal(describeRanks(ranks, [4, 4, 8]), '3 ranks × 4 to 8 threads on a (2), b (1)');
});
