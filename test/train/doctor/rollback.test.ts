import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { markGood } from '../../../src/train/doctor/rollback.js';
import { type DoctorState, INITIAL_DOCTOR } from '../../../src/train/doctor/state.js';
import { INITIAL_STATE } from '../../../src/train/state.js';
import { tinyTrainConfig } from '../tiny.js';

const SPAN = 3;
const CONFIG = { doctor: true, rollbackLrFactor: 0.5, maxSkippedUpdates: SPAN };
const EARLIER = { epoch: 1, updates: 10 };
const HERE = { epoch: 2, updates: 40 };
const HEALTHY = [5, 4, 3, 2, 1];

/** The checkpoint to go back to, after a checkpoint of HERE. */
function good(
  {
    nll = HEALTHY,
    gradientNorm = HEALTHY,
    troubled = 0,
  }: { nll?: (number | null)[]; gradientNorm?: (number | null)[]; troubled?: number },
  config = {},
): DoctorState['good'] {
  const doctor: DoctorState = {
    ...INITIAL_DOCTOR,
    good: EARLIER,
    history: { last: HERE.updates, nll, gradientNorm },
    watch: { ...INITIAL_DOCTOR.watch, troubled },
  };
  const found = markGood({ ...INITIAL_STATE, ...HERE, doctor }, tinyTrainConfig({ ...CONFIG, ...config }));
  assert.deepEqual({ ...found, good: EARLIER }, doctor, 'all else stays');
  return found.good;
}

describe('a checkpoint is one to go back to', () => {
  test('after updates that were all well', () => {
    assert.deepEqual(good({}), HERE);
    assert.deepEqual(good({ nll: [], gradientNorm: [] }), HERE, 'and before the first');
    assert.deepEqual(good({ nll: [1], gradientNorm: [1] }), HERE);
  });

  test('not while one of the latest max-skipped-updates was skipped', () => {
    for (const kind of ['nll', 'gradientNorm'] as const) {
      for (let ago = 1; ago <= HEALTHY.length; ago++) {
        const figures = HEALTHY.map((value, i) => (i === HEALTHY.length - ago ? null : value));
        assert.deepEqual(good({ [kind]: figures }), ago > SPAN ? HERE : EARLIER, `${kind}, ${ago} ago`);
      }
    }
  });

  test('not while the loss is stuck, from the first window on', () => {
    assert.deepEqual(good({ troubled: 1 }), EARLIER);
    assert.deepEqual(good({ troubled: 3 }), EARLIER);
  });

  test('only where there is going back', () => {
    assert.deepEqual(good({}, { doctor: false }), EARLIER);
    assert.deepEqual(good({}, { rollbackLrFactor: null }), EARLIER);
  });
});
