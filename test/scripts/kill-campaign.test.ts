import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { killCampaign } from '../../scripts/kill-campaign.js';
import { availableBackends } from '../ops/backends.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-kills-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const hasNative = availableBackends.includes('native');

for (const [precision, kills, skip] of [
  ['float32', 3, false],
  ['bfloat16', 1, !hasNative && 'the native engine is not built'],
] as const)
  test(`a training in ${precision} that is killed and resumed ends as one that nobody disturbed (long: npm run campaign:kills)`, {
    skip,
  }, async () => {
    const own = path.join(folder, precision);
    fs.mkdirSync(own);
    const flags = ['--precision', precision];
    const found = await killCampaign(own, { kills, seed: 11, threads: 1, updates: 20, flags });
    assert.deepEqual([found.kills, found.differences], [kills, []]);
  });
