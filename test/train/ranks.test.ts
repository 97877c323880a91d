import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, describe, test } from 'node:test';
import { Transformer } from '../../src/model/transformer.js';
import { zeroMoments } from '../../src/ops/optimizer.js';
import { tf } from '../../src/ops/tf.js';
import { quickHash } from '../../src/train/compare-ranks.js';
import { goBack } from '../../src/train/doctor/rollback.js';
import type { Updater } from '../../src/train/update.js';
import { rankOf } from '../distributed/ranks-in-a-row.js';
import { trainAsRanks } from './thread-ranks.js';
import {
  BACKENDS,
  readMetrics,
  readTensors,
  scratchFolder,
  type TinyRun,
  tinyModelConfig,
  tinyTrainConfig,
  trainTiny,
  useBackend,
  VOCABULARY,
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

describe('several processes go back together', () => {
  /** RAdam takes no step in its first five updates; the sixth is far too large, and everything overflows after it. */
  const fragile = (train: TinyRun['train'] = {}): TinyRun =>
    runOf({
      ...{ maxUpdate: 16, saveIntervalUpdates: 4, validateIntervalUpdates: 3, keepLast: 1, lr: 1e37 },
      ...{ doctor: true, maxSkippedUpdates: 5, rollbackLrFactor: 1e-39, ...train },
    });

  test('to the checkpoint that one process goes back to, and leave the same files', async () => {
    const [alone, folder] = [scratchFolder(), scratchFolder()];
    const { state } = await trainTiny(alone, fragile());
    assert.equal(state.doctor.rollbacks, 1);
    const ends = await trainAsRanks(2, { backend, folder, run: fragile() });
    assert.deepEqual(ends, new Array(2).fill('train.max-update 16 is reached'));
    assert.deepEqual(leftBy(folder), leftBy(alone));
  });

  test('or end together, with one report, where the disk took no checkpoint', async () => {
    const folder = scratchFolder();
    const ends = await trainAsRanks(2, { backend, folder, run: fragile(), refused: [1, 100] });
    for (const end of ends) assert.match(end, /^DivergenceError: .*5 updates in a row/);
    assert.ok(fs.existsSync(path.join(folder, 'divergence.json')));
  });

  test('none goes back where another one cannot read the checkpoint', async () => {
    const runDirectory = scratchFolder();
    const { state } = await trainTiny(runDirectory, runOf({ maxUpdate: 2 }));
    const good = { epoch: state.epoch, updates: 2 };
    const model = Transformer.create(tinyModelConfig({ residual: 'admin' }), VOCABULARY, 1);
    const updater = { model, moments: zeroMoments(model.trainable) } as unknown as Updater;
    const config = tinyTrainConfig({ ...TRAIN, doctor: true, rollbackLrFactor: 0.5 });
    const backWith = (refusal: string | null) =>
      goBack(
        { ...state, doctor: { ...state.doctor, good } },
        { config, runDirectory, updater, communicator: rankOf(['a', 'b'], [null, refusal]) },
      );
    const before = quickHash(updater.moments.first);
    assert.equal(backWith('no such file'), null);
    assert.equal(quickHash(updater.moments.first), before);
    assert.equal(backWith(null)?.doctor.rollbacks, 1);
    assert.notEqual(quickHash(updater.moments.first), before);
    tf.dispose([updater.moments.first, updater.moments.second]);
    model.dispose();
  });
});

describe('a disk that refuses checkpoints of several processes', () => {
  test('does not end training: the next one is whole', async () => {
    const [alone, folder] = [scratchFolder(), scratchFolder()];
    await trainTiny(alone, runOf());
    const ends = await trainAsRanks(2, { backend, folder, run: runOf(), refused: [2, 3] });
    assert.deepEqual(ends, new Array(2).fill('train.max-update 7 is reached'));
    const [found, expected] = [leftBy(folder), leftBy(alone)];
    for (const name of ['metrics', 'checkpoint_last']) assert.deepEqual(found[name], expected[name]);
    assert.ok(!fs.existsSync(path.join(folder, 'checkpoint_1_3')), 'it was refused');
  });

  test('ends all of them where it takes not the last one; any number goes on', async () => {
    const [alone, folder] = [scratchFolder(), scratchFolder()];
    await trainTiny(alone, runOf());
    const ends = await trainAsRanks(2, { backend, folder, run: runOf(), refused: [3, 100] });
    for (const end of ends)
      assert.match(end, /^UserError: .*the last checkpoint could not be written: no space left/);
    await trainTiny(folder, runOf());
    const [found, expected] = [leftBy(folder), leftBy(alone)];
    for (const name of ['metrics', 'checkpoint_last']) assert.deepEqual(found[name], expected[name]);
  });
});
