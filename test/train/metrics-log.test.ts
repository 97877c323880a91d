import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { sumOf } from '../../src/common/file-sum.js';
import { readEventFile } from '../../src/formats/tfevents.js';
import { type MetricsLine, MetricsLog, readMetrics } from '../../src/train/metrics-log.js';
import { scratchFolder } from './tiny.js';

const valid = (updates: number): MetricsLine => ({
  event: 'valid',
  epoch: 1,
  num_updates: updates,
  wall: 1,
  loss: 2,
  nll_loss: 2,
  ppl: 4,
  best_loss: 2,
});

const updatesIn = (file: string): number[] =>
  fs
    .readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).num_updates);

test('going on drops what will be written again, and a line that was cut short', () => {
  const file = path.join(scratchFolder(), 'metrics.jsonl');
  const log = new MetricsLog(file, { updates: 0 });
  for (const updates of [2, 4, 6]) log.write(valid(updates));
  fs.appendFileSync(file, '{"event":"tr');
  new MetricsLog(file, { updates: 4 }).write(valid(5));
  assert.deepEqual(updatesIn(file), [2, 4, 5]);
});

test('what a checkpoint has seen is kept to the byte, so that no line of its last update is written again', () => {
  const file = path.join(scratchFolder(), 'metrics.jsonl');
  const log = new MetricsLog(file, { updates: 0 });
  for (const updates of [2, 4]) log.write(valid(updates));
  const metrics = sumOf(fs.readFileSync(file));
  for (const updates of [4, 6]) log.write(valid(updates));
  new MetricsLog(file, { updates: 4, metrics }).write(valid(5));
  assert.deepEqual(updatesIn(file), [2, 4, 5]);
  for (const other of [sumOf('other'), { ...metrics, bytes: 2 ** 20 }]) {
    new MetricsLog(file, { updates: 4, metrics: other }).write(valid(6)); // somebody has changed the file
    assert.deepEqual(updatesIn(file), [2, 4, 6]);
  }
});

test('what was written before is kept where it stands, not written anew', () => {
  const file = path.join(scratchFolder(), 'metrics.jsonl');
  const log = new MetricsLog(file, { updates: 0 });
  for (const updates of [2, 4, 6]) log.write(valid(updates));
  const metrics = sumOf(fs.readFileSync(file));
  const { ino } = fs.statSync(file);
  fs.appendFileSync(file, '{"event":"tr');
  new MetricsLog(file, { updates: 6, metrics }).write(valid(7));
  assert.equal(fs.statSync(file).ino, ino);
  assert.deepEqual(updatesIn(file), [2, 4, 6, 7]);
});

test('what a flush tells of the file lets it go on, with what waited for the disk', () => {
  const file = path.join(scratchFolder(), 'metrics.jsonl');
  const log = new MetricsLog(file, { updates: 0 });
  for (const updates of [2, 4]) log.write(valid(updates));
  const metrics = log.flush()!;
  assert.deepEqual(metrics, sumOf(fs.readFileSync(file)));
  log.write(valid(4));
  const next = new MetricsLog(file, { updates: 4, metrics });
  next.write(valid(6));
  assert.deepEqual(next.flush(), sumOf(fs.readFileSync(file)));
  const anew = new MetricsLog(file, { updates: 4 }); // by lines
  assert.deepEqual(anew.flush(), sumOf(fs.readFileSync(file)));
  assert.deepEqual(updatesIn(file), [2, 4]);
});

test('a file of something else is refused with its line', () => {
  const file = path.join(scratchFolder(), 'metrics.jsonl');
  for (const line of ['no JSON', '{"event":"train"}', 'null']) {
    fs.writeFileSync(file, `{"num_updates":1}\n${line}\n`);
    assert.throws(
      () => new MetricsLog(file, { updates: 4 }),
      (error) => error instanceof UserError && /metrics\.jsonl:2/.test(error.message),
    );
  }
});

test('every number of a line goes to TensorBoard where that is wanted, in a new file when training goes on', () => {
  const file = path.join(scratchFolder(), 'metrics.jsonl');
  const folder = path.join(path.dirname(file), 'tensorboard');
  const read = (i: number) =>
    readEventFile(path.join(folder, fs.readdirSync(folder).sort()[i])).map(({ wallTime, ...event }) => event);
  new MetricsLog(file, { updates: 0 }).write(valid(1));
  assert.ok(!fs.existsSync(folder));
  new MetricsLog(file, { updates: 1 }, folder).write(valid(2));
  new MetricsLog(file, { updates: 1 }, folder).write(valid(3));
  const scalars = new Map(
    Object.entries({ epoch: 1, wall: 1, loss: 2, nll_loss: 2, ppl: 4, best_loss: 2 }).map(([key, value]) => [
      `valid/${key}`,
      value,
    ]),
  );
  const head = [
    { step: 2, fileVersion: 'brain.Event:2' },
    { step: 2, start: true },
  ];
  assert.deepEqual(read(0), [...head, { step: 2, scalars }]);
  assert.deepEqual(read(1), [...head, { step: 3, scalars }]);
  assert.deepEqual(updatesIn(file), [1, 3]);
});

test('what is written is read again', () => {
  const file = path.join(scratchFolder(), 'metrics.jsonl');
  new MetricsLog(file, { updates: 0 }).write(valid(2));
  assert.deepEqual([...readMetrics(file)], [valid(2)]);
});
