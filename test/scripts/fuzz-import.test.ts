import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzImport } from '../../scripts/fuzz-import.js';

test('checkpoints made to harm are imported or refused, in little time and memory', async (t) => {
  const { faults, outcomes, seconds, memory } = await fuzzImport({ count: 252, seed: 3 });
  assert.deepEqual(faults, []);
  const refused = Object.values(outcomes).reduce((sum, each) => sum + each.refused, 0);
  assert.ok(refused > 100 && refused < 240, `${refused} refused`);
  assert.equal(Object.keys(outcomes).length, 14);
  t.diagnostic(`${JSON.stringify(outcomes)}, ${seconds.toFixed(2)} s, ${memory.toFixed(0)} MiB`);
});
