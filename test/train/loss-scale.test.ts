import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, describe, test } from 'node:test';
import { DivergenceError } from '../../src/common/errors.js';
import { tf } from '../../src/ops/tf.js';
import { INITIAL_LOSS_SCALE, type LossScale, nextLossScale } from '../../src/train/loss-scale.js';
import { INITIAL_STATE, readStateFile, type TrainState } from '../../src/train/state.js';
import { readMetrics, readTensors, scratchFolder, type TinyRun, trainTiny, useBackend } from './tiny.js';

const EVERY = { updateFreq: 2 ** 11 }; // a window of 8

/** What fairseq's scaler does, with its counters: the scale after each of some updates. */
function fairseqScales(finite: readonly boolean[], window: number): number[] {
  let [scale, iteration, lastOverflow] = [128, 0, -1];
  return finite.map((usable) => {
    if (!usable) {
      lastOverflow = iteration;
      scale /= 2;
    } else if ((iteration - lastOverflow) % window === 0) scale *= 2;
    iteration++;
    return scale;
  });
}

test('the scale is doubled after so many updates without overflow, and halved with each, as in fairseq', () => {
  const finite = Array.from({ length: 400 }, (_, i) => (i * 7919) % 23 !== 5 && (i < 100 || i % 61 !== 0));
  let state: LossScale = INITIAL_LOSS_SCALE;
  const found = finite.map((usable) => {
    state = nextLossScale(state, usable, EVERY);
    return state.scale;
  });
  assert.deepEqual(found, fairseqScales(finite, 8));
  assert.ok(new Set(found).size > 3);
});

test('where gradients overflow under the least scale, training ends', () => {
  let state: LossScale = INITIAL_LOSS_SCALE;
  const halve = (): void => {
    for (;;) state = nextLossScale(state, false, EVERY);
  };
  assert.throws(halve, (error) => error instanceof DivergenceError && /in float16/.test(error.message));
  assert.ok(state.scale > 1e-4 && state.scale < 2e-4);
});

/* On the reference backend, whose products are of float32 in any case, so that the scale alone is tried. */
describe('a training whose loss is scaled', () => {
  const TRAIN: TinyRun['train'] = {
    ...{ precision: 'float16', maxUpdate: 8, saveIntervalUpdates: 4, saveInterval: 0, keepLast: 0 },
    ...{ validateInterval: 0, clipNorm: 1 },
  };
  const lastOf = (folder: string) => readTensors(path.join(folder, 'checkpoint_last'));
  const stateFile = (folder: string) => path.join(folder, 'checkpoint_last', 'state.json');
  const stateOf = (folder: string): TrainState => readStateFile(stateFile(folder)).state;
  const scalesOf = (folder: string) =>
    readMetrics(folder).flatMap(({ event, loss_scale }) => (event === 'train' ? [loss_scale] : []));

  /** Trains from a state whose scale is of this size. */
  async function trainWith(scale: number, run: TinyRun): Promise<string> {
    const folder = scratchFolder();
    await trainTiny(folder, { ...run, state: { ...INITIAL_STATE, lossScale: { scale, clean: 0 } } });
    return folder;
  }

  before(() => useBackend('cpu'));

  test('has the bits of one whose loss is not, and its checkpoints and metrics have the scale', async () => {
    const [plain, scaled] = [scratchFolder(), scratchFolder()];
    await trainTiny(plain, { train: { ...TRAIN, precision: 'float32' } });
    await trainTiny(scaled, { train: TRAIN });
    assert.deepEqual(lastOf(scaled), lastOf(plain));
    assert.deepEqual(stateOf(scaled).lossScale, { scale: 128, clean: 8 });
    assert.deepEqual(scalesOf(scaled), Array(8).fill(128));
    assert.equal('lossScale' in stateOf(plain), false);
    assert.deepEqual(scalesOf(plain), Array(8).fill(undefined));
  });

  for (const doctor of [true, false]) {
    test(`skips updates that overflow and halves the scale, ${doctor ? 'with' : 'without'} the doctor`, async () => {
      const folder = await trainWith(2 ** 61, { train: { ...TRAIN, doctor } });
      const scales = scalesOf(folder) as number[];
      const overflown = scales.flatMap((scale, i) => (scale < (scales[i - 1] ?? 2 ** 61) ? [i + 1] : []));
      const overflows = overflown.length;
      assert.ok(overflows > 0 && overflows < 8, `${scales}`);
      const expected = { scale: 2 ** (61 - overflows), clean: 8 - overflown.at(-1)! };
      assert.deepEqual(stateOf(folder).lossScale, expected);
      const lines = readMetrics(folder);
      assert.equal(lines.filter(({ skipped }) => skipped === 1).length, overflows);
      const findings = lines.filter(({ event }) => event === 'doctor').map(({ finding }) => finding);
      assert.deepEqual(findings, doctor ? Array(overflows).fill('overflow') : []);
      assert.equal(stateOf(folder).doctor.skipped, 0);
    });
  }

  test('interrupted and gone on with, it has the same bits and the same scales', async () => {
    const once = await trainWith(2 ** 61, { train: TRAIN });
    const twice = await trainWith(2 ** 61, { train: { ...TRAIN, maxUpdate: 4 } });
    await trainTiny(twice, { train: TRAIN });
    assert.deepEqual(lastOf(twice), lastOf(once));
    assert.deepEqual(stateOf(twice).lossScale, stateOf(once).lossScale);
    assert.deepEqual(scalesOf(twice), scalesOf(once));
  });

  test('goes on from a checkpoint of float32, with the first scale; one that is damaged is refused', async () => {
    const folder = scratchFolder();
    await trainTiny(folder, { train: { ...TRAIN, precision: 'float32', maxUpdate: 4 } });
    await trainTiny(folder, { train: TRAIN });
    assert.deepEqual(stateOf(folder).lossScale, { scale: 128, clean: 4 });
    const text = fs.readFileSync(stateFile(folder), 'utf8');
    fs.writeFileSync(stateFile(folder), text.replace('"scale": 128', '"scale": -1'));
    assert.throws(() => stateOf(folder), /found something incomplete/);
  });

  test('ends where the least scale does not help, and the metrics with it', async () => {
    const folder = scratchFolder();
    const state = { ...INITIAL_STATE, lossScale: { scale: 2 ** -12, clean: 0 } };
    const allReduce: NonNullable<TinyRun['options']>['allReduce'] = ({ gradients, ...figures }) => ({
      gradients: gradients.map((gradient) => tf.mul(gradient, Number.POSITIVE_INFINITY)),
      ...figures,
    });
    await assert.rejects(
      trainTiny(folder, { train: TRAIN, options: { allReduce }, state }),
      (error) =>
        error instanceof DivergenceError && /in float16, even with the loss times/.test(error.message),
    );
    assert.equal(readMetrics(folder).filter(({ event }) => event === 'train').length, 2);
  });
});
