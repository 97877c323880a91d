import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { type MetricsLine, MetricsLog } from '../../src/train/metrics-log.js';
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
  const log = new MetricsLog(file, 0);
  for (const updates of [2, 4, 6]) log.write(valid(updates));
  fs.appendFileSync(file, '{"event":"tr');
  new MetricsLog(file, 4).write(valid(5));
  assert.deepEqual(updatesIn(file), [2, 4, 5]);
});

test('a file of something else is refused with its line', () => {
  const file = path.join(scratchFolder(), 'metrics.jsonl');
  for (const line of ['no JSON', '{"event":"train"}', 'null']) {
    fs.writeFileSync(file, `{"num_updates":1}\n${line}\n`);
    assert.throws(
      () => new MetricsLog(file, 4),
      (error) => error instanceof UserError && /metrics\.jsonl:2/.test(error.message),
    );
  }
});
