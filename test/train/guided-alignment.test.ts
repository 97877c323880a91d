import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, test } from 'node:test';
import type { PairSource } from '../../src/data/batch-iterator.js';
import { trainAsRanks } from './thread-ranks.js';
import {
  BACKENDS,
  copyTask,
  readMetrics,
  readTensors,
  scratchFolder,
  type TinyRun,
  tensorsLeft,
  trainTiny,
  useBackend,
} from './tiny.js';

const backend = BACKENDS.includes('native') ? 'native' : 'cpu';
before(() => useBackend(backend, 1));

const guidance = { layer: 0, head: 1, weight: 0.5 };
const TRAIN: NonNullable<TinyRun['train']> = {
  ...{ maxUpdate: 6, maxTokens: 15, updateFreq: 4, optimizer: 'radam' },
  ...{ validateIntervalUpdates: 3, saveIntervalUpdates: 2, keepLast: 0, logInterval: 2 },
};
const runOf = (train: TinyRun['train'] = {}): TinyRun => ({
  train: { ...TRAIN, ...train },
  model: { residual: 'admin', dropout: 0.1 },
  options: { guidance },
});

/** The figures of a key in the lines of an event. */
const series = (folder: string, event: string, key = 'alignment_loss'): (number | undefined)[] =>
  readMetrics(folder)
    .filter((line) => line.event === event)
    .map((line) => line[key] as number | undefined);

/** A split without alignments. */
const plain = (size: number): PairSource => {
  const task = copyTask(size);
  return {
    ...task,
    pair: (i) => {
      const { source, target } = task.pair(i);
      return { source, target };
    },
  };
};

test('several processes, several batches an update and layers computed again come to the same files', async () => {
  const [alone, ranks, again] = [scratchFolder(), scratchFolder(), scratchFolder()];
  await trainTiny(alone, runOf());
  await trainAsRanks(2, { backend, folder: ranks, run: runOf() });
  await trainTiny(again, runOf({ recompute: 'layers' }));
  assert.ok(series(alone, 'train').every((bits) => bits! > 0));
  for (const folder of [ranks, again]) {
    const withoutIdle = readMetrics(folder).map(({ idle, exchange, ...rest }) => rest);
    assert.deepEqual(withoutIdle, readMetrics(alone));
    for (const name of ['checkpoint_last', 'checkpoint_best'])
      assert.deepEqual(readTensors(path.join(folder, name)), readTensors(path.join(alone, name)));
  }
});

test('a training that goes on in the middle of a line has its figures', async () => {
  const [whole, parts] = [scratchFolder(), scratchFolder()];
  await trainTiny(whole, runOf({ logInterval: 5 }));
  await trainTiny(parts, runOf({ logInterval: 5, maxUpdate: 3 }));
  fs.rmSync(path.join(parts, 'metrics.jsonl')); // its last line is of where the first part ended
  await trainTiny(parts, runOf({ logInterval: 5 }));
  const [last] = readTensors(path.join(parts, 'checkpoint_last'));
  assert.deepEqual(last, readTensors(path.join(whole, 'checkpoint_last'))[0]);
  assert.ok(series(parts, 'train').every((bits) => bits! > 0));
});

test('the attention learns the alignments; without a weight it does not, and no figure is written', async () => {
  const long = {
    ...{ ...TRAIN, maxUpdate: 100, maxTokens: 60, updateFreq: 1, logInterval: 20 },
    ...{ optimizer: 'adam' as const, lr: 0.02, validateIntervalUpdates: 0, validateInterval: 0 },
  };
  const of = async (options: TinyRun['options']): Promise<string> => {
    const folder = scratchFolder();
    assert.equal(await tensorsLeft(() => trainTiny(folder, { ...runOf(long), options })), 0);
    return folder;
  };
  const [guided, not] = [await of({ guidance: { ...guidance, weight: 2 } }), await of({})];
  const bits = series(guided, 'train') as number[];
  assert.ok(bits.at(-1)! < 0.5 * bits[0], `${bits}`);
  assert.ok(readMetrics(not).every((line) => !('alignment_loss' in line)));
});

test('the moving average is validated by them, too; validation text need not have any', async () => {
  const folder = scratchFolder();
  const averaged = scratchFolder();
  await trainTiny(averaged, runOf({ emaDecay: 0.9, validateWeights: 'ema' }));
  assert.ok(series(averaged, 'valid').every((bits) => bits! > 0));
  await trainTiny(folder, { ...runOf(), options: { guidance, valid: plain(5) } });
  assert.deepEqual(new Set(series(folder, 'valid')), new Set([undefined]));
  assert.ok(series(folder, 'train').every((bits) => bits! > 0));
});
