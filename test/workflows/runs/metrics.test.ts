import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { lastUpdate, metricsFile, readMetrics } from '../../../src/workflows/runs/metrics.js';
import { makeRun, scratchFolder, trainLine, validLine } from '../../cli/run-folders.js';

test('lines are read as far as they are whole, figures as far as they are finite', () => {
  const metrics = `${trainLine(1, 5)}${validLine(1, 4)}null\n{"event":"other"}\n${trainLine(2, null)}{"event":"tra`;
  const [first, second, third, ...rest] = readMetrics(makeRun(scratchFolder(), { metrics }));
  assert.deepEqual(
    [first, second, third].map(({ event, num_updates, loss }) => [event, num_updates, loss]),
    [
      ['train', 1, 5],
      ['valid', 1, 4],
      ['train', 2, undefined],
    ],
  );
  assert.equal(rest.length, 0);
});

test('a run without metrics has no lines', () => {
  assert.deepEqual(readMetrics(makeRun(scratchFolder())), []);
  assert.deepEqual(readMetrics(makeRun(scratchFolder(), { metrics: '' })), []);
});

test('a pipe in the place of the metrics is refused, not waited for', (t) => {
  const run = makeRun(scratchFolder());
  const pipe = spawnSync('mkfifo', [metricsFile(run)]);
  if (pipe.status !== 0) return t.skip('mkfifo is not here');
  assert.throws(() => readMetrics(run), /metrics\.jsonl: expected a regular file, found a pipe/);
  assert.equal(lastUpdate(run), undefined);
});
