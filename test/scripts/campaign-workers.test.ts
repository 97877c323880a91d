import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workersCampaign } from '../../scripts/campaign-workers.js';
import { availableBackends } from '../ops/backends.js';

const skip = availableBackends.includes('native') ? false : 'the native engine is not built';

test('worker threads that share the native engine translate as one thread does, bit by bit (long: npm run campaign:workers)', {
  skip,
  timeout: 120_000,
}, async () => {
  const found = await workersCampaign(3, { threads: 2, sentences: 72 });
  assert.deepEqual(found, { translations: 216, different: 0, failures: [] });
});
