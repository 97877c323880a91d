import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { faultCampaign } from '../../scripts/fault-campaign.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-faults-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** One of each kind, in trainings so short that most of the time goes to start them; the disk fails the more often. */
const FAULTS = { faults: 6, seed: 5, threads: 1, updates: 20, probabilities: [0.03, 0.05] };

test('a training whose disk fails now and then loses no good checkpoint and ends as an undisturbed one (long: npm run campaign:faults)', async () => {
  const { problems, faults } = await faultCampaign(folder, FAULTS);
  assert.deepEqual(problems, []);
  assert.ok(Object.values(faults).every((count) => count > 0));
});
