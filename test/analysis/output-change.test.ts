import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { measureOutputChanges, type Perturbation } from '../../src/analysis/output-change.js';
import { Purpose, RandomStream } from '../../src/common/rng.js';
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

/** The change between two models of an encoder, one with its matrices moved by hand. */
async function changeByHand(
  direction: Perturbation['direction'],
  seed: number,
  signsOf: (model: Transformer) => (name: string, place: number) => (i: number) => number,
): Promise<void> {
  const config = tinyConfig({ residual: 'post-ln' });
  const [model, moved] = [1, 1].map((seed) => Transformer.create(config, VOCABULARY, seed));
  const delta = 0.01;
  const signs = signsOf(model);
  const matrices = [...moved.weights].filter(
    ([name, { shape }]) => name.startsWith('encoder.layers.') && shape.length === 2,
  );
  matrices.forEach(([name, weight], place) => {
    const sign = signs(name, place);
    const values = weight.dataSync().map((value, i) => value + delta * sign(i));
    tf.tidy(() => weight.assign(tf.tensor(values, weight.shape)));
  });
  const [a, b] = [model, moved].map((own) => normalize(own.encode(batchOf().source, { training: null })));
  const expected = a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length;
  const perturbation: Perturbation = { stack: 'encoder', direction, delta, seed };
  assertClose(await measureOutputChanges(model, batchOf(), [perturbation], OPTIONS), [expected], 1e-3);
  model.dispose();
  moved.dispose();
}

test('along the gradient: the change between two models, one with the weights moved by hand', async () => {
  await changeByHand('gradient', 0, (model) => {
    const { gradients } = differentiate(model, batchOf(), OPTIONS.labelSmoothing);
    return (name) => (i) => -Math.sign(gradients.get(name)![i]);
  });
});

test('at random: the signs are the bits of a stream for each matrix, 32 of a number', async () => {
  await changeByHand('random', 5, () => (_, site) => {
    const stream = new RandomStream({ seed: 5, step: 0, purpose: Purpose.perturbation, site });
    const numbers: number[] = [];
    return (i) => {
      if (numbers.length <= i / 32) numbers.push(stream.nextUint32());
      return (numbers.at(-1)! >>> (i % 32)) & 1 ? 1 : -1;
    };
  });
});

test('small perturbations: a change four times as large for twice the delta, the same for the same seed', async () => {
  const model = Transformer.create(tinyConfig({ residual: 'pre-ln' }), VOCABULARY, 1);
  for (const stack of ['encoder', 'decoder'] as const) {
    const random = (delta: number, seed: number): Perturbation => ({
      stack,
      direction: 'random',
      delta,
      seed,
    });
    const cases = [random(1e-3, 1), random(2e-3, 1), random(1e-3, 1), random(1e-3, 2)];
    const [once, twice, again, other] = await measureOutputChanges(model, batchOf(), cases, OPTIONS);
    assertClose([twice / once], [4], 0.03);
    assert.equal(again, once);
    assert.notEqual(other, once);
  }
  model.dispose();
});

test('the weights are put back, and nothing is left behind', async () => {
  const model = Transformer.create(tinyConfig({ residual: 'admin' }), VOCABULARY, 1);
  const before = valuesOf(model);
  const count = tf.memory().numTensors;
  const cases = (['random', 'gradient'] as const).map(
    (direction): Perturbation => ({ stack: 'decoder', direction, delta: 0.1, seed: 1 }),
  );
  await measureOutputChanges(model, batchOf(), cases, OPTIONS);
  assert.equal(tf.memory().numTensors, count);
  assert.deepEqual(valuesOf(model), before);
  model.dispose();
});

test('branches that are shut change nothing', async () => {
  const model = Transformer.create(tinyConfig({ residual: 'rezero' }), VOCABULARY, 1);
  const perturbation: Perturbation = { stack: 'encoder', direction: 'random', delta: 0.1, seed: 1 };
  assert.deepEqual(await measureOutputChanges(model, batchOf(), [perturbation], OPTIONS), [0]);
  model.dispose();
});
