import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, describe, test } from 'node:test';
import { trainAsRanks } from './thread-ranks.js';
import {
  BACKENDS,
  readMetrics,
  readTensors,
  scratchFolder,
  type TinyRun,
  trainTiny,
  useBackend,
} from './tiny.js';

const backend = BACKENDS.includes('native') ? 'native' : 'cpu';
before(() => useBackend(backend, 1));

/** 5 or more batches an epoch: its end is uneven. Dropout is on. */
const TRAIN: NonNullable<TinyRun['train']> = {
  ...{ maxUpdate: 7, maxTokens: 15, updateFreq: 4, clipNorm: 0.5, emaDecay: 0.9 },
  ...{ optimizer: 'radam', saveIntervalUpdates: 2, validateIntervalUpdates: 3, keepLast: 0, logInterval: 2 },
};
const runOf = (train: TinyRun['train'] = {}): TinyRun => ({
  train: { ...TRAIN, ...train },
  model: { residual: 'admin' },
});

/** All that a training leaves but what a clock says. */
function leftBy(folder: string): Record<string, unknown> {
  const checkpoints = fs.readdirSync(folder).filter((name) => name.startsWith('checkpoint'));
  const metrics = readMetrics(folder).map(({ idle, exchange, ...rest }) => rest);
  return {
    metrics,
    ...Object.fromEntries(
      checkpoints.map((name) => {
        const state = JSON.parse(fs.readFileSync(path.join(folder, name, 'state.json'), 'utf8'));
        const { seconds, validatedSeconds, meter, ...rest } = state.state;
        const ema = fs.readFileSync(path.join(folder, name, 'ema.safetensors'));
        return [name, [rest, { ...meter, seconds: 0 }, ema, ...readTensors(path.join(folder, name))]];
      }),
    ),
  };
}

describe('a training of several processes', () => {
  for (const precision of ['float32'] as const) {
    // bfloat16: test/scripts/ranks-campaign.test.ts, by processes
    test(`leaves the same files as one process, in ${precision}`, async () => {
      const alone = scratchFolder();
      await trainTiny(alone, runOf({ precision }));
      for (const size of [2, 4]) {
        const folder = scratchFolder();
        const ends = await trainAsRanks(size, { backend, folder, run: runOf({ precision }) });
        assert.deepEqual(ends, new Array(size).fill('train.max-update 7 is reached'));
        assert.deepEqual(leftBy(folder), leftBy(alone), `${size} processes`);
      }
    });
  }

  test('goes on as another number of processes', async () => {
    const [alone, folder] = [scratchFolder(), scratchFolder()];
    await trainTiny(alone, runOf());
    await trainAsRanks(2, { backend, folder, run: runOf({ maxUpdate: 2 }) });
    await trainAsRanks(4, { backend, folder, run: runOf({ maxUpdate: 6 }) });
    await trainTiny(folder, runOf());
    for (const name of ['checkpoint_last', 'checkpoint_best'])
      assert.deepEqual(readTensors(path.join(folder, name)), readTensors(path.join(alone, name)));
  });

  test('ends in step, saved, wherever the signal was heard', async () => {
    for (const rank of [0, 1]) {
      const folder = scratchFolder();
      const run = runOf({ maxUpdate: 50 });
      const ends = await trainAsRanks(2, { backend, folder, run, interrupt: { rank, after: 3 } });
      const [first, second] = ends;
      assert.equal(second, first);
      const [, updates] = /^InterruptedError: Interrupted after (\d+) updates, saved in /.exec(first)!;
      assert.match(fs.readlinkSync(path.join(folder, 'checkpoint_last')), new RegExp(`_${updates}$`));
    }
  });

  test('names the rank and its host where weights differ', async () => {
    const ends = await trainAsRanks(4, { backend, folder: scratchFolder(), run: runOf(), spoilt: 2 });
    for (const end of ends)
      assert.match(end, /do not hold the same weights after 2 updates: rank 2 on host-2 differs/);
  });

  test('of more processes than batches', async () => {
    const [alone, folder] = [scratchFolder(), scratchFolder()];
    const run = runOf({ maxTokens: 400, maxUpdate: 3 }); // one batch an epoch
    await trainTiny(alone, run);
    await trainAsRanks(4, { backend, folder, run });
    assert.deepEqual(leftBy(folder), leftBy(alone));
  });
});
