import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { killCampaign } from '../../scripts/kill-campaign.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-kills-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

test('a training that is killed and resumed ends as one that nobody disturbed (long: npm run campaign:kills)', async () => {
  const { kills, differences } = await killCampaign(folder, { kills: 3, seed: 11, threads: 1, updates: 20 });
  assert.deepEqual([kills, differences], [3, []]);
});
