import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { measureOutputChanges, type Perturbation } from '../../src/analysis/output-change.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { batchOf, differentiate, tinyConfig, useBackend, VOCABULARY } from '../model/models.js';
import { assertClose } from './close.js';
import { valuesOf } from './models.js';

before(async () => {
  await useBackend('cpu');
});

const OPTIONS = { labelSmoothing: 0.1, training: null };

/** Each row of mean 0 and variance 1, in plain numbers. */
function normalize(x: tf.Tensor2D): number[] {
  return (x.arraySync() as number[][]).flatMap((row) => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    return row.map((value) => (value - mean) / Math.sqrt(variance));
  });
}

test('along the gradient: the change between two models, one with the weights moved by hand', () => {
  const config = tinyConfig({ residual: 'post-ln' });
  const [model, moved] = [1, 1].map((seed) => Transformer.create(config, VOCABULARY, seed));
  const delta = 0.01;
  const { gradients } = differentiate(model, batchOf(), OPTIONS.labelSmoothing);
  for (const [name, weight] of moved.weights) {
    if (!name.startsWith('encoder.layers.') || weight.shape.length !== 2) continue;
    const gradient = gradients.get(name)!;
    const values = weight.dataSync().map((value, i) => value - delta * Math.sign(gradient[i]));
    tf.tidy(() => weight.assign(tf.tensor(values, weight.shape)));
  }
  const [a, b] = [model, moved].map((own) => normalize(own.encode(batchOf().source, { training: null })));
  const expected = a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length;
  const perturbation: Perturbation = { stack: 'encoder', direction: 'gradient', delta, seed: 0 };
  assertClose(measureOutputChanges(model, batchOf(), [perturbation], OPTIONS), [expected], 1e-3);
  model.dispose();
  moved.dispose();
});

test('small perturbations: a change four times as large for twice the delta, the same for the same seed', () => {
  const model = Transformer.create(tinyConfig({ residual: 'pre-ln' }), VOCABULARY, 1);
  for (const stack of ['encoder', 'decoder'] as const) {
    const random = (delta: number, seed: number): Perturbation => ({
      stack,
      direction: 'random',
      delta,
      seed,
    });
    const cases = [random(1e-3, 1), random(2e-3, 1), random(1e-3, 1), random(1e-3, 2)];
    const [once, twice, again, other] = measureOutputChanges(model, batchOf(), cases, OPTIONS);
    assertClose([twice / once], [4], 0.03);
    assert.equal(again, once);
    assert.notEqual(other, once);
  }
  model.dispose();
});

test('the weights are put back, and nothing is left behind', () => {
  const model = Transformer.create(tinyConfig({ residual: 'admin' }), VOCABULARY, 1);
  const before = valuesOf(model);
  const count = tf.memory().numTensors;
  const cases = (['random', 'gradient'] as const).map(
    (direction): Perturbation => ({ stack: 'decoder', direction, delta: 0.1, seed: 1 }),
  );
  measureOutputChanges(model, batchOf(), cases, OPTIONS);
  assert.equal(tf.memory().numTensors, count);
  assert.deepEqual(valuesOf(model), before);
  model.dispose();
});

test('branches that are shut change nothing', () => {
  const model = Transformer.create(tinyConfig({ residual: 'rezero' }), VOCABULARY, 1);
  const perturbation: Perturbation = { stack: 'encoder', direction: 'random', delta: 0.1, seed: 1 };
  assert.deepEqual(measureOutputChanges(model, batchOf(), [perturbation], OPTIONS), [0]);
  model.dispose();
});
