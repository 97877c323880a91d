import assert from 'node:assert/strict';
import { test } from 'node:test';
import { camelizeKeys } from '../../src/config/camel.js';
import { configSchema, type TrainConfig } from '../../src/config/schema.js';
import { type Milestone, milestone } from '../../src/train/milestones.js';
import { INITIAL_STATE, type TrainState } from '../../src/train/state.js';

const NONE: Partial<TrainConfig> = { validateInterval: 0, saveInterval: 0 };
const defaults = { ...camelizeKeys(configSchema.parse({})).train, maxTokens: 100 };

function at(
  config: Partial<TrainConfig>,
  state: Partial<TrainState>,
  { epochDone = false, saved = { updates: 0, seconds: 0 } } = {},
): Milestone {
  return milestone(
    { ...defaults, ...NONE, ...config },
    { state: { ...INITIAL_STATE, ...state }, epochDone, saved },
  );
}

const NOTHING = { validate: false, save: false, byClock: true };

test('at the end of every so many epochs', () => {
  const config = { validateInterval: 2, saveInterval: 1 };
  const end = { epochDone: true };
  assert.deepEqual(at(config, { epoch: 1, updates: 5 }), NOTHING);
  assert.deepEqual(at(config, { epoch: 1, updates: 5 }, end), {
    validate: false,
    save: true,
    byClock: false,
  });
  assert.deepEqual(at(config, { epoch: 2, updates: 9 }, end), { validate: true, save: true, byClock: false });
});

test('every so many updates, and validation saves as well; not twice at one update', () => {
  const config = { validateIntervalUpdates: 4, saveIntervalUpdates: 3 };
  assert.deepEqual(at(config, { updates: 0 }), NOTHING);
  assert.deepEqual(at(config, { updates: 3 }), { validate: false, save: true, byClock: false });
  assert.deepEqual(at(config, { updates: 4 }), { validate: true, save: true, byClock: false });
  const saved = { updates: 4, seconds: 1 };
  assert.deepEqual(at(config, { updates: 4, validatedAt: 4 }, { saved }), {
    validate: false,
    save: false,
    byClock: false,
  });
});

test('every so many minutes since the last time, which another run would do elsewhere', () => {
  const config = { validateIntervalMinutes: 2, saveIntervalMinutes: 1 };
  const state = { updates: 7, seconds: 500, validatedSeconds: 400 };
  const saved = { updates: 3, seconds: 430 };
  assert.deepEqual(at(config, state, { saved }), { validate: false, save: true, byClock: true });
  assert.deepEqual(at(config, { ...state, validatedSeconds: 380 }, { saved }), {
    validate: true,
    save: true,
    byClock: true,
  });
});

test('before the first update, once', () => {
  const config = { validateFirst: true };
  assert.equal(at(config, {}).validate, true);
  assert.equal(at(config, { bests: [{ loss: 1, epoch: 1, updates: 0 }] }).validate, false);
  assert.equal(at(config, { updates: 1 }).validate, false);
});
