import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeForecast } from '../../../src/workflows/train/ranks-forecast.js';

test('a forecast has the numbers of ranks of the table, the one asked for, and what was measured first', () => {
  const rehearsal = {
    ...{
      updates: 6,
      tokens: 1300,
      operations: 1,
      largest: 400,
      seconds: 19,
      memoryBytes: 1,
      checkpointBytes: 1,
    },
    ...{ bucketBytes: [2 ** 22, 2 ** 22], secondsOfToken: 0.01, secondsOfUpdate: 1 },
    batches: Int32Array.of(100, 300, 200, 200, 400, 100),
  };
  const measured = { name: 'a string', latency: 1e-3, bandwidth: 2 ** 23 };
  const lines = describeForecast(rehearsal, 1, 3, measured).split('\n');
  assert.match(
    lines[0],
    /^Ranks {5}3 × update-freq 1: 2 updates an epoch, of 3 batches; a rank takes 3\.17 s of one on average, the slowest 4\.50 s$/,
  );
  assert.match(lines[1], /^Sums {6}24 MiB and 11 messages .*\(gradients: 8\.0 MiB, in 2 parts\)$/);
  const [head, first, ethernet] = lines.slice(3).map((line) => line.split(/ {2,}/));
  assert.deepEqual(head.slice(3), ['1', '2', '3', '4', '8', '16', '32', '64', 'epoch with 3']);
  // 9 s of the slowest, and in each of 2 updates 24 MiB and 11 messages, less a third of the 2.17 s of a batch: 2.289 s
  assert.deepEqual(first.slice(0, 4), ['a string', '1000 µs', '0.0084 GB/s', '100 %']);
  assert.equal(first[5], `${Math.round((100 * 19) / (3 * 13.578))} %`);
  assert.equal(first.at(-1), '14s');
  assert.equal(ethernet[0], '1 Gb/s Ethernet');
});
