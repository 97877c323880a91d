import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ranksCampaign } from '../../scripts/ranks-campaign.js';
import { type Launcher, missing } from '../../scripts/ranks-launcher.js';
import { scratchFolder } from '../train/tiny.js';

for (const [launcher, kills] of [
  ['mpirun.openmpi', 2],
  ['mpirun.mpich', 0],
] as [Launcher, number][]) {
  test(`several processes come to the bits of one, killed or not (${launcher})`, {
    skip: missing(launcher),
  }, async () => {
    const flags = kills > 0 ? [] : ['--bf16'];
    const options = { launcher, sizes: kills > 0 ? [2, 4] : [2], kills, seed: 1, updates: 12, flags };
    const found = await ranksCampaign(scratchFolder(), options);
    assert.deepEqual(found.differences, []);
    assert.equal(new Set(Object.values(found.table)).size, 1);
    assert.equal(found.kills, kills);
    assert.ok(found.longestEnding < 60, `${found.longestEnding} s from a kill to the end`);
  });
}
