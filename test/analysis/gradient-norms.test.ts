import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MatrixNormMeter, measureHiddenGradients } from '../../src/analysis/gradient-norms.js';
import { sitesOf } from '../../src/model/scheme.js';
import { Transformer } from '../../src/model/transformer.js';
import { smoothedCrossEntropy } from '../../src/ops/cross-entropy.js';
import { tf } from '../../src/ops/tf.js';
import { BACKENDS, batchOf, differentiate, tinyConfig, useBackend, VOCABULARY } from '../model/models.js';
import { assertClose } from './close.js';

for (const backend of BACKENDS) {
  test(`gradients by the outputs of sublayers (${backend})`, async () => {
    await useBackend(backend);
    const model = Transformer.create(tinyConfig({ residual: 'post-ln' }), VOCABULARY, 1);
    const batch = batchOf();
    const count = tf.memory().numTensors;
    const found = await measureHiddenGradients(model, batch, 0.1, null);
    assert.equal(tf.memory().numTensors, count);
    const sites = [...sitesOf(model.config, 'encoder'), ...sitesOf(model.config, 'decoder')];
    assert.deepEqual(
      found.map(({ stack, layer, sublayer }) => ({ stack, layer, sublayer })),
      sites,
    );
    // In post-ln the last sublayer's output is the decoder's, which the loss reads.
    const expected = tf.tidy(() => {
      const memory = model.encode(batch.source, { training: null });
      const hidden = model.decode(batch.targetInput, memory, batch.source.offsets, { training: null });
      const loss = (x: tf.Tensor): tf.Scalar =>
        smoothedCrossEntropy(x as tf.Tensor2D, model.outputWeight(), batch.targetOutput, 0.1).loss;
      return tf.norm(tf.grad(loss)(hidden)).dataSync()[0] / batch.targetOutput.length;
    });
    assertClose([found[found.length - 1].norm], [expected], 1e-4);
    assert.ok(found.every(({ norm }) => norm > 0));
    model.dispose();
  });
}

test('a sublayer deeper down: the gradient by a shift of what it puts out', async () => {
  await useBackend('cpu');
  // The bias of a layer normalisation is added to its output: its gradient is the sum of that of the output by rows.
  const model = Transformer.create(tinyConfig({ residual: 'post-ln' }), VOCABULARY, 1);
  const one = batchOf([{ source: Int32Array.of(2), target: Int32Array.of(2) }]); // one row a stack
  const { gradients } = differentiate(model, one, 0.1);
  const found = await measureHiddenGradients(model, one, 0.1, null);
  const bias = gradients.get('decoder.layers.0.encoder_attn_layer_norm.bias')!;
  const { norm } = found.find((site) => site.stack === 'decoder' && site.sublayer === 'encoder')!;
  assertClose([norm], [Math.sqrt(bias.reduce((sum, value) => sum + value * value, 0))], 1e-4);
  model.dispose();
});

test('root mean squares of gradients and updates of each matrix, averaged', async () => {
  await useBackend('cpu');
  for (const residual of ['admin', 'deepnorm'] as const) {
    const model = Transformer.create(tinyConfig({ residual }), VOCABULARY, 1);
    const meter = new MatrixNormMeter(model);
    const filled = (value: number): tf.Tensor[] => model.trainable.map(({ shape }) => tf.fill(shape, value));
    await meter.add(filled(6), 3, filled(0.1), 0.1);
    await meter.add(filled(12), 3, filled(0.3), 0.3);
    const norms = meter.norms();
    assert.equal(norms.length, 2 * 4 + 2 * 6);
    for (const { gradient, update } of norms) assertClose([gradient, update], [3, 1], 1e-5);
    model.dispose();
  }
});

test('the gradient of each matrix is that of the loss', async () => {
  await useBackend('cpu');
  const model = Transformer.create(tinyConfig({ residual: 'admin' }), VOCABULARY, 1);
  const { gradients } = differentiate(model, batchOf(), 0);
  const names = [...model.weights.keys()];
  const own = names.map((name) => tf.tensor(gradients.get(name)!));
  const meter = new MatrixNormMeter(model);
  await meter.add(own, 1, own, 1);
  const fc2 = meter
    .norms()
    .find(({ stack, layer, part }) => stack === 'decoder' && layer === 1 && part === 'feed-forward fc2')!;
  const expected = gradients.get('decoder.layers.1.fc2.weight')!;
  assertClose([fc2.gradient], [Math.hypot(...expected) / Math.sqrt(expected.length)], 1e-5);
  model.dispose();
});
