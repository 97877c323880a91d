import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doctorCampaign } from '../../scripts/campaign-doctor.js';
import { initBackend } from '../../src/backend/init.js';
import { log } from '../../src/common/log.js';

test('the doctor names what is wrong, and nothing in a healthy run (long: npm run campaign:doctor)', async () => {
  log.setQuiet(true);
  await initBackend('auto', 1);
  const { trials, mistakes } = await doctorCampaign({ seeds: 2, seed: 11, long: false });
  assert.deepEqual(mistakes, []);
  assert.ok(Object.keys(trials).length >= 6);
});
