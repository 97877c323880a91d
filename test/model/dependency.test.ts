import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { packBatch } from '../../src/data/batch.js';
import { measureDependency } from '../../src/model/dependency.js';
import { profileModel } from '../../src/model/profile.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { copyTask, tinyModelConfig, useBackend, VOCABULARY } from '../train/tiny.js';

before(() => useBackend('cpu'));

const batch = packBatch(
  [0, 1, 2],
  [0, 1, 2].map((i) => copyTask(3).pair(i)),
  2,
);

test('the share of the branch in each sublayer, as profiling measures both variances', async () => {
  const model = Transformer.create(tinyModelConfig({ residual: 'admin' }), VOCABULARY, 1);
  const training = { seed: 1, step: 0 };
  const profiled = await profileModel(model, batch, training);
  const found = await measureDependency(model, batch, training);
  assert.equal(found.length, 5);
  // The first sublayer of a stack has ω = 1 in both.
  const [first, expected] = [found[0], profiled[0]];
  assert.deepEqual(
    [first.shortcutVariance, first.branchVariance],
    [expected.shortcutVariance, expected.branchVariance],
  );
  for (const { shortcutVariance, branchVariance, dependency } of found) {
    assert.equal(dependency, branchVariance / (shortcutVariance + branchVariance));
    assert.ok(dependency > 0 && dependency < 1);
  }
  model.dispose();
});

test('a larger ω takes from the branch; what is not finite has no dependency', async () => {
  const model = Transformer.create(tinyModelConfig({ residual: 'admin' }), VOCABULARY, 1);
  const [plain] = await measureDependency(model, batch);
  const omega = model.weights.get('encoder.layers.0.attention_ratio_change')!;
  tf.tidy(() => omega.assign(tf.fill(omega.shape, 3)));
  const [scaled] = await measureDependency(model, batch);
  assert.ok(Math.abs(scaled.shortcutVariance / plain.shortcutVariance - 9) < 1e-4);
  assert.equal(scaled.branchVariance, plain.branchVariance);
  tf.tidy(() => omega.assign(tf.fill(omega.shape, Number.NaN)));
  assert.ok(Number.isNaN((await measureDependency(model, batch))[0].dependency));
  model.dispose();
});
