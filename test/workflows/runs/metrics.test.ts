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

test('a long file is thinned: all validations, the last lines, and of training some from everywhere', () => {
  const lines = Array.from({ length: 40_000 }, (_, i) =>
    i % 1000 === 999 ? validLine(i + 1, 4 - i / 40_000) : trainLine(i + 1, 5),
  );
  const run = makeRun(scratchFolder(), { metrics: `${lines.join('')}{"event":"tra` });
  const [whole, thinned] = [readMetrics(run), readMetrics(run, 0)];
  const of = (points: typeof whole, event: string) => points.filter((point) => point.event === event);
  assert.equal(whole.length, lines.length);
  assert.deepEqual(of(thinned, 'valid'), of(whole, 'valid'));
  assert.deepEqual(thinned[0], whole[0]);
  assert.deepEqual(thinned.slice(-100), whole.slice(-100));
  const updates = of(thinned, 'train').map(({ num_updates }) => num_updates);
  assert.ok(updates.length > 8000 && updates.length < 10_000, `${updates.length}`);
  updates.slice(1).forEach((update, i) => {
    assert.ok(update > updates[i] && update - updates[i] < 10, `${updates[i]}, ${update}`);
  });
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
