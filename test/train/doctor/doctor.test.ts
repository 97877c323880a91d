import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, describe, test } from 'node:test';
import { DivergenceError, InterruptedError } from '../../../src/common/errors.js';
import { tf } from '../../../src/ops/tf.js';
import type { TrainState } from '../../../src/train/state.js';
import type { AllReduce } from '../../../src/train/update.js';
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
} from '../tiny.js';

/** Poisons the gradients of the updates that a test of their number names, over all processes. */
function poison(isBad: (gradients: readonly tf.Tensor[]) => boolean): AllReduce {
  return (own) => {
    if (!isBad(own.gradients)) return own;
    const gradients = own.gradients.map((gradient) => tf.mul(gradient, Number.NaN));
    tf.dispose(own.gradients);
    return { ...own, gradients };
  };
}

/** The calls of a test by their number, from 1. */
function numbered(isBad: (call: number) => boolean): AllReduce {
  let calls = 0;
  return poison(() => isBad(++calls));
}

const events = (folder: string) => readMetrics(folder).filter(({ event }) => event === 'doctor');
const trainLines = (folder: string) => readMetrics(folder).filter(({ event }) => event === 'train');
const lastOf = (folder: string) => readTensors(path.join(folder, 'checkpoint_last'));
const stateOf = (folder: string): TrainState =>
  JSON.parse(fs.readFileSync(path.join(folder, 'checkpoint_last', 'state.json'), 'utf8')).state;
const checkpoints = (folder: string) => fs.readdirSync(folder).filter((name) => /^checkpoint_\d/.test(name));

/** 4 batches an epoch, saved every update, all kept; no validation. */
const TRAIN = {
  maxUpdate: 12,
  maxTokens: 25,
  saveIntervalUpdates: 1,
  saveInterval: 0,
  keepLast: 0,
  validateInterval: 0,
  logInterval: 4,
};

before(() => useBackend(BACKENDS[0]));

describe('an update that is not finite', () => {
  test('is skipped and counted; training goes on with the next batch', async () => {
    const folder = scratchFolder();
    const options = { allReduce: numbered((call) => call === 6) };
    const end = await trainTiny(folder, { train: TRAIN, options });
    assert.equal(end.state.updates, 12);
    const [before, after] = [5, 6].map((updates) =>
      readTensors(path.join(folder, `checkpoint_2_${updates}`)),
    );
    const weights = (file: Buffer) => file.subarray(8 + Number(file.readBigUInt64LE()));
    assert.deepEqual(after.map(weights), before.map(weights));
    assert.deepEqual(
      trainLines(folder).map(({ skipped }) => skipped),
      [undefined, 1, undefined],
    );
    const [event, ...others] = events(folder);
    assert.equal(others.length, 0);
    const { pairs, ...rest } = event;
    assert.deepEqual(rest, {
      event: 'doctor',
      epoch: 2,
      num_updates: 6,
      finding: 'skipped',
      cause: 'unknown',
    });
    assert.ok((pairs as number[]).length > 0);
    const { skipped, inARow, history } = end.state.doctor;
    assert.deepEqual([skipped, inARow, history.last, history.gradientNorm.indexOf(null)], [1, 0, 12, 5]);
  });

  test('healthy updates have the same bits with and without the doctor', async () => {
    const folders = [true, false].map((doctor) => ({ doctor, folder: scratchFolder() }));
    for (const { doctor, folder } of folders) await trainTiny(folder, { train: { ...TRAIN, doctor } });
    const [a, b] = folders.map(({ folder }) => folder);
    assert.deepEqual(lastOf(a), lastOf(b));
    assert.deepEqual(readMetrics(a), readMetrics(b));
  });

  test('max-skipped-updates of them end training with a report; the last checkpoint stays', async () => {
    const folder = scratchFolder();
    const options = { allReduce: numbered((call) => call > 5) };
    await assert.rejects(
      trainTiny(folder, { train: { ...TRAIN, maxSkippedUpdates: 3, keepLast: 2 }, options }),
      (error) =>
        error instanceof DivergenceError &&
        /3 updates in a row, the last of them update 8[\s\S]*What to do[\s\S]*divergence\.json/.test(
          error.message,
        ),
    );
    const report = JSON.parse(fs.readFileSync(path.join(folder, 'divergence.json'), 'utf8'));
    assert.deepEqual(
      [report.update, report.diagnosis.cause, report.advice[0].measure, report.history.nll.length],
      [8, 'unknown', 'machine', 8],
    );
    assert.ok(report.dependencies.length === 5 && report.norms.length === 3);
    assert.match(fs.readFileSync(path.join(folder, 'divergence.txt'), 'utf8'), /encoder layer 0/);
    assert.equal(stateOf(folder).updates, 7);
    // What was gathered since the last line is not lost.
    const { num_updates: updates, skipped } = trainLines(folder).at(-1)!;
    assert.deepEqual([updates, skipped], [8, 3]);
  });

  test('two streaks that are each shorter do not', async () => {
    const allReduce = numbered((call) => [3, 4, 6, 7].includes(call));
    const train = { ...TRAIN, maxSkippedUpdates: 3 };
    const end = await trainTiny(scratchFolder(), { train, options: { allReduce } });
    assert.equal(end.state.doctor.skipped, 4);
  });

  test('leaves no tensors, given up or not', async () => {
    const run = (from: number): TinyRun => ({
      train: { ...TRAIN, maxSkippedUpdates: 3, rollbackLrFactor: 0.5, maxRollbacks: 1 },
      options: { allReduce: numbered((call) => call > from) },
    });
    assert.equal(await tensorsLeft(() => trainTiny(scratchFolder(), run(10))), 0);
    assert.equal(await tensorsLeft(() => trainTiny(scratchFolder(), run(5)).catch(() => {})), 0);
  });
});

describe('going back', () => {
  /** RAdam takes no step in its first five updates; the sixth is far too large, and everything overflows after it. */
  const FRAGILE: TinyRun = {
    train: {
      ...{ ...TRAIN, maxUpdate: 30, saveIntervalUpdates: 4, keepLast: 1, validateIntervalUpdates: 3 },
      ...{ lr: 1e37, maxSkippedUpdates: 5, rollbackLrFactor: 1e-39, logInterval: 2 },
    },
  };

  test('goes on from the last good checkpoint with a smaller rate', async () => {
    const folder = scratchFolder();
    const { state } = await trainTiny(folder, FRAGILE);
    const { rollbacks, lrFactor, good } = state.doctor;
    assert.deepEqual([rollbacks, lrFactor, good?.updates], [1, 1e-39, 30]);
    const [told, ...others] = events(folder);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [told.finding, told.num_updates, told.from, told.rollbacks, told.lr_factor],
      ['rollback', 5, 11, 1, 1e-39],
    );
    const lines = readMetrics(folder).map(({ num_updates }) => num_updates as number);
    const ascending = lines.toSorted((a, b) => a - b);
    assert.deepEqual(lines, ascending, 'lines of updates that were undone are gone');
    assert.deepEqual(
      trainLines(folder).map(({ num_updates }) => num_updates),
      Array.from({ length: 30 }, (_, i) => i + 1).filter((n) => n % 2 === 0 || n % 3 === 0),
    );
    assert.ok(Math.abs((trainLines(folder).at(-1)!.lr as number) - 0.01) < 1e-9);
    assert.ok(state.bests[0].loss < 6, `it learns: ${state.bests[0].loss} bits`);
  });

  test('killed at any update and resumed it comes to the same bits', async () => {
    const whole = scratchFolder();
    await trainTiny(whole, FRAGILE);
    for (const kind of ['killed', 'interrupted'] as const) {
      const parts = scratchFolder();
      for (let stops = 0; ; stops++) {
        assert.ok(stops < 200, 'it comes to its end');
        let asked = 0;
        const interrupted = (): 'SIGTERM' | undefined => {
          // More updates a life than there are between two checkpoints, or all are made again and again.
          if (asked++ < 9 + (stops % 4)) return undefined;
          if (kind === 'interrupted') return 'SIGTERM';
          throw new Error('killed');
        };
        try {
          await trainTiny(parts, { ...FRAGILE, options: { interrupted } });
          break;
        } catch (error) {
          assert.ok(
            error instanceof InterruptedError || (error as Error).message === 'killed',
            String(error),
          );
        }
      }
      assert.deepEqual(lastOf(parts), lastOf(whole), kind);
      assert.deepEqual(readMetrics(parts), readMetrics(whole), kind);
      assert.deepEqual(stateOf(parts).doctor, stateOf(whole).doctor, kind);
    }
  });

  test('each time the rate becomes smaller, from the same checkpoint or from a later one', async () => {
    const folder = scratchFolder();
    // Twice from update 5, and again from the checkpoint of update 6, which knows the rate it was made at.
    const bad = [6, 7, 8, 9, 11, 12];
    const options = { allReduce: numbered((call) => bad.includes(call)) };
    const train = { ...TRAIN, maxUpdate: 9, maxSkippedUpdates: 2, rollbackLrFactor: 0.5, logInterval: 1 };
    const { state } = await trainTiny(folder, { train, options });
    const { rollbacks, lrFactor, skipped } = state.doctor;
    assert.deepEqual([rollbacks, lrFactor, skipped], [3, 0.125, 6]);
    assert.deepEqual(
      trainLines(folder).map(({ lr }) => lr),
      [...Array(5).fill(0.01), 0.0025, ...Array(3).fill(0.00125)],
    );
    assert.deepEqual(
      events(folder).map(({ num_updates, from, lr_factor }) => [num_updates, from, lr_factor]),
      [
        [6, 7, 0.25],
        [7, 8, 0.125],
      ],
    );
  });

  test('max-rollbacks bounds it, and then training ends with a report', async () => {
    const folder = scratchFolder();
    const options = { allReduce: numbered((call) => call > 5) };
    const train = { ...TRAIN, maxSkippedUpdates: 2, rollbackLrFactor: 0.5, maxRollbacks: 2 };
    await assert.rejects(trainTiny(folder, { train, options }), DivergenceError);
    const { history } = JSON.parse(fs.readFileSync(path.join(folder, 'divergence.json'), 'utf8'));
    assert.equal(history.last, 7);
    assert.deepEqual(
      events(folder).map(({ finding, rollbacks }) => [finding, rollbacks]),
      [
        ['rollback', 2],
        ['skipped', undefined],
      ],
    );
  });

  test('removes the checkpoints of what is undone; a good one outlasts keep-last', async () => {
    const folder = scratchFolder();
    let asked = 0;
    const options = { allReduce: numbered((call) => call > 4), saveRequested: () => asked++ >= 4 };
    const train = {
      ...TRAIN,
      saveIntervalUpdates: 3,
      keepLast: 1,
      maxSkippedUpdates: 4,
      rollbackLrFactor: 0.5,
    };
    await assert.rejects(trainTiny(folder, { train, options }), DivergenceError);
    assert.ok(checkpoints(folder).includes('checkpoint_1_3'), checkpoints(folder).join());
  });

  test('without a checkpoint training ends', async () => {
    const options = { allReduce: numbered(() => true) };
    const train = { ...TRAIN, saveIntervalUpdates: 0, rollbackLrFactor: 0.5 };
    await assert.rejects(trainTiny(scratchFolder(), { train, options }), DivergenceError);
  });
});

describe('a loss that is stuck', () => {
  test('is told once, with its line in the metrics, and training goes on', async () => {
    const folder = scratchFolder();
    // No step is ever taken, at a rate of next to nothing.
    const train = { ...TRAIN, saveIntervalUpdates: 0, maxUpdate: 500, lr: 1e-12, logInterval: 100 };
    await trainTiny(folder, { train, options: { train: copyTask(40) } });
    const [event, ...others] = events(folder);
    assert.equal(others.length, 0);
    assert.equal(event.num_updates, 500);
    assert.match(event.finding as string, /plateau/);
    assert.ok((event.advice as unknown[]).length > 0);
  });
});
