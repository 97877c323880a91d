import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { pointTo } from '../../src/train/checkpoint-folders.js';
import { type Selection, selectCheckpoints } from '../../src/train/select-checkpoints.js';
import { formatStateFile, INITIAL_STATE } from '../../src/train/state.js';
import { ORIGIN, scratchFolder } from './tiny.js';

/** Writes a checkpoint without weights. */
function save(folder: string, epoch: number, updates: number, seed = 1): void {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'model.safetensors'), '');
  const state = { ...INITIAL_STATE, epoch, updates };
  const origin = { ...ORIGIN, settings: { ...ORIGIN.settings, seed } };
  fs.writeFileSync(path.join(folder, 'state.json'), formatStateFile({ origin, lr: 0, state }));
}

/** A run of three epochs, saved twice in each, validated after each; beside them an average. */
function runDirectory(): string {
  const run = scratchFolder();
  for (const [epoch, updates] of [
    [1, 5],
    [1, 9],
    [2, 10],
    [2, 18],
    [3, 20],
    [3, 27],
  ]) {
    save(path.join(run, `checkpoint_${epoch}_${updates}`), epoch, updates);
  }
  fs.mkdirSync(path.join(run, 'checkpoint_average_30'));
  pointTo(run, 'checkpoint_best', 'checkpoint_2_18');
  const lines = [
    { event: 'train', num_updates: 20, loss: 0.5, bleu: 99 },
    { event: 'valid', num_updates: 9, loss: 3, nll_loss: 1, bleu: 10 },
    { event: 'valid', num_updates: 14, loss: 1.5, nll_loss: 9, bleu: 1 }, // its checkpoint is gone
    { event: 'valid', num_updates: 18, loss: 2, nll_loss: 2, bleu: 11 },
    { event: 'valid', num_updates: 27, loss: 2.5, nll_loss: 3, bleu: 12 },
  ];
  fs.writeFileSync(
    path.join(run, 'metrics.jsonl'),
    lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  );
  return run;
}

const run = runDirectory();
const select = (selection: Selection): string[] => selectCheckpoints(run, selection).map(({ name }) => name);
const refuses = (selection: Selection, pattern: RegExp): void =>
  assert.throws(
    () => select(selection),
    (error) => error instanceof UserError && pattern.test(error.message),
  );

test('the last by update, by number and not by name', () => {
  assert.deepEqual(select({ by: 'update', count: 3 }), [
    'checkpoint_2_18',
    'checkpoint_3_20',
    'checkpoint_3_27',
  ]);
  assert.deepEqual(select({ by: 'update', count: 2, upperBound: 10 }), ['checkpoint_1_9', 'checkpoint_2_10']);
});

test('the last by epoch: the latest checkpoint of each', () => {
  assert.deepEqual(select({ by: 'epoch', count: 2 }), ['checkpoint_2_18', 'checkpoint_3_27']);
  assert.deepEqual(select({ by: 'epoch', count: 2, upperBound: 2 }), ['checkpoint_1_9', 'checkpoint_2_18']);
});

test('the best by each metric, whichever way it is better', () => {
  const best = (metric: string) => select({ by: 'metric', count: 2, metric });
  assert.deepEqual(best('loss'), ['checkpoint_2_18', 'checkpoint_3_27']);
  assert.deepEqual(best('nll_loss'), ['checkpoint_1_9', 'checkpoint_2_18']);
  assert.deepEqual(best('bleu'), ['checkpoint_2_18', 'checkpoint_3_27']);
  const [only] = selectCheckpoints(run, { by: 'metric', count: 1, metric: 'loss' });
  assert.deepEqual([only.value, only.epoch, only.updates], [2, 2, 18]);
});

test('by name: in the run, by link, by path', () => {
  const names = ['checkpoint_3_20', 'checkpoint_best', path.join(run, 'checkpoint_1_5')];
  assert.deepEqual(select({ by: 'name', names }), ['checkpoint_1_5', 'checkpoint_2_18', 'checkpoint_3_20']);
});

test('too few, unknown, doubled and strange ones are refused', () => {
  refuses({ by: 'update', count: 7 }, /expected checkpoints of 7 updates, found 6/);
  refuses({ by: 'epoch', count: 2, upperBound: 1 }, /checkpoints of 2 epochs up to epoch 1, found 1/);
  refuses({ by: 'metric', count: 4, metric: 'loss' }, /expected 4 checkpoints that were validated, found 3/);
  refuses(
    { by: 'metric', count: 1, metric: 'los' },
    /one of loss, nll_loss, .*; found 'los'.*Did you mean 'loss'/s,
  );
  refuses({ by: 'metric', count: 1, metric: 'chrf' }, /validations with 'chrf', found loss, nll_loss, bleu/);
  refuses(
    { by: 'name', names: ['nowhere'] },
    /nowhere: expected a checkpoint of training, found no such folder/,
  );
  refuses({ by: 'name', names: ['checkpoint_average_30'] }, /average_30: .*found no model\.safetensors/);
  refuses({ by: 'name', names: ['checkpoint_best', 'checkpoint_2_18'] }, /checkpoint_2_18: .*twice/);
  const other = path.join(scratchFolder(), 'checkpoint_1_5');
  save(other, 1, 5, 2);
  refuses({ by: 'name', names: ['checkpoint_1_9', other] }, /same training as .*checkpoint_1_9/);
});
