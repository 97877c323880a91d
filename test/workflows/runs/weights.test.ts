import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRunConfig } from '../../../src/config/load.js';
import { lastCheckpoint, readRunWeights } from '../../../src/workflows/runs/weights.js';
import { makeRun, scratchFolder } from '../../cli/run-folders.js';

test('ω is summed up by sublayer, weights by their norm', () => {
  const folder = makeRun(scratchFolder(), {
    sets: ['model.residual=admin', 'model.omega.init=analytic'],
    state: { updates: 5 },
  });
  const { model } = loadRunConfig(folder).config;
  const weights = readRunWeights(folder, lastCheckpoint(folder)!, model);
  assert.equal(weights.checkpoint, 'checkpoint_1_5');
  assert.equal(weights.parameters, 4);
  const [{ start, ...site }] = weights.omega;
  assert.ok(start! > 1);
  const spread = { mean: 1.5, deviation: 0.5, least: 1, most: 2 };
  assert.deepEqual(site, { stack: 'encoder', layer: 0, sublayer: 'self', ...spread });
  assert.deepEqual(weights.norms, [{ stack: 'encoder', layer: 0, part: 'self-attention q, k, v', norm: 5 }]);
});

test('a run without a checkpoint has none', () => {
  assert.equal(lastCheckpoint(makeRun(scratchFolder())), undefined);
});
