import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL_DOCTOR } from '../../src/train/doctor/state.js';
import { startingState } from '../../src/train/init-from.js';
import { EMPTY_SUMS } from '../../src/train/meter.js';
import { INITIAL_STATE, type TrainState } from '../../src/train/state.js';
import { tinyTrainConfig } from './tiny.js';

/** No two figures are the same. */
const BEFORE: TrainState = {
  ...{ epoch: 3, position: 7, updates: 50, optimizerAhead: 11, seconds: 600 },
  ...{ validatedAt: 40, validatedSeconds: 480, validationsSinceBest: 2 },
  bests: [{ epoch: 2, updates: 20, loss: 4, nll_loss: 3, ppl: 8 }],
  meter: { ...EMPTY_SUMS, updates: 5 },
  doctor: { ...INITIAL_DOCTOR, skipped: 1, lrFactor: 0.5, good: { epoch: 2, updates: 30 } },
};
/** What it goes back to is in another run. */
const HERE: TrainState = { ...BEFORE, doctor: { ...BEFORE.doctor, good: null } };
const { epoch, position, bests, validationsSinceBest, validatedAt, validatedSeconds, meter, doctor } =
  INITIAL_STATE;

const KEEP = { resetOptimizer: false, resetScheduler: false, resetBest: false, resetData: false };
const reset = (resets: Partial<typeof KEEP>): TrainState =>
  startingState(BEFORE, tinyTrainConfig({ ...KEEP, ...resets }));

test('without any reset a training goes on, but for the checkpoint to go back to', () => {
  assert.deepEqual(reset({}), HERE);
});

test('reset-optimizer: its steps begin at 0, whatever the updates', () => {
  assert.deepEqual(reset({ resetOptimizer: true }), { ...HERE, optimizerAhead: -50 });
});

test('reset-scheduler: updates and time begin at 0, and with them what counts from them', () => {
  const clocks = { updates: 0, seconds: 0, validatedAt, validatedSeconds, meter, doctor };
  assert.deepEqual(reset({ resetScheduler: true }), { ...HERE, ...clocks, optimizerAhead: 61 });
});

test('reset-best: no validation has been, so that the next is due as in a new run', () => {
  const validation = { bests, validationsSinceBest, validatedAt, validatedSeconds };
  assert.deepEqual(reset({ resetBest: true }), { ...HERE, ...validation });
});

test('reset-data: from the first batch, with nothing gathered', () => {
  assert.deepEqual(reset({ resetData: true }), { ...HERE, epoch, position, meter, doctor });
});

test('all of them: as a new run', () => {
  const all = { resetOptimizer: true, resetScheduler: true, resetBest: true, resetData: true };
  assert.deepEqual(reset(all), INITIAL_STATE);
});
