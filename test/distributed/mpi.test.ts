import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Launcher, missing } from '../../scripts/ranks-launcher.js';
import { program, runRanks } from './run-ranks.js';

for (const [launcher, sizes] of [
  ['mpirun.openmpi', [2, 3, 4]],
  ['mpirun.mpich', [2, 5]],
] as [Launcher, number[]][]) {
  for (const size of sizes) {
    test(`${size} ranks of ${launcher} sum in the order of a tree, and hear of each other`, {
      skip: missing(launcher),
    }, async () => {
      const { status, output } = await runRanks(launcher, size, [program('ranks-that-sum')]);
      assert.equal(status, 0, output);
      for (let rank = 0; rank < size; rank++)
        assert.ok(output.includes(`rank ${rank} of ${size} is done\n`), output);
    });
  }
}
