import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { MatrixNormMeter } from '../../src/analysis/gradient-norms.js';
import { followUpdates, meterUpdates, type Updates } from '../../src/analysis/updates.js';
import { camelizeKeys } from '../../src/config/camel.js';
import { configSchema } from '../../src/config/schema.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { Updater } from '../../src/train/update.js';
import { BACKENDS, batchOf, tinyConfig, useBackend, VOCABULARY } from '../model/models.js';
import { assertClose } from './close.js';

before(async () => {
  await useBackend('cpu');
});

const MEASURED = { batch: batchOf(), training: null };

test('weights that grow by a hundredth: the relative update is that', async () => {
  const model = Transformer.create(tinyConfig({ residual: 'admin' }), VOCABULARY, 1);
  const growing: Updates = {
    next: () => {
      for (const weight of model.trainable) tf.tidy(() => weight.assign(tf.mul(weight, 1.01)));
      return 0.5;
    },
  };
  const count = tf.memory().numTensors;
  const steps = await followUpdates(model, growing, 2, MEASURED);
  assert.equal(tf.memory().numTensors, count);
  assert.deepEqual(
    steps.map(({ update, lr }) => [update, lr]),
    [
      [1, 0.5],
      [2, 0.5],
    ],
  );
  for (const { relativeUpdate, encoderChange, decoderChange, nll } of steps) {
    assertClose([relativeUpdate], [0.01], 1e-3);
    assert.ok(encoderChange > 0 && decoderChange > 0 && nll > 0);
  }
  model.dispose();
});

test('no update changes nothing', async () => {
  const model = Transformer.create(tinyConfig({ residual: 'pre-ln' }), VOCABULARY, 1);
  const [step] = await followUpdates(model, { next: () => 1 }, 1, MEASURED);
  assert.deepEqual([step.relativeUpdate, step.encoderChange, step.decoderChange], [0, 0, 0]);
  model.dispose();
});

for (const backend of BACKENDS) {
  test(`the first update of Adam is as large for every element, whatever the gradient (${backend})`, async () => {
    await useBackend(backend);
    const model = Transformer.create(tinyConfig({ residual: 'post-ln' }), VOCABULARY, 1);
    const { train } = camelizeKeys(
      configSchema.parse({ train: { optimizer: 'adam', 'clip-norm': 0, 'weight-decay': 0 } }),
    );
    const lr = 0.01;
    let look: Parameters<Updates['next']>[0];
    const updater = new Updater(model, { ...train, seed: 1 }, undefined, (own) => {
      look?.(own.gradients, own.tokens);
      return own;
    });
    const meter = new MatrixNormMeter(model);
    const updates: Updates = {
      next: (own) => {
        look = own;
        const { loss, nll, gradientNorm } = updater.apply([batchOf()], 0, lr);
        tf.dispose([loss, nll, gradientNorm]);
        return lr;
      },
    };
    const count = tf.memory().numTensors;
    await meterUpdates(model, updates, 1, meter);
    assert.equal(tf.memory().numTensors, count);
    const norms = meter.norms();
    const sizes = norms.map(({ gradient }) => gradient);
    assert.ok(Math.max(...sizes) > 2 * Math.min(...sizes));
    // Elements whose gradient is 0, behind a ReLU that is shut or a mask, do not move.
    for (const { update } of norms) assert.ok(update > 0.5 && update < 1.001, String(update));
    updater.dispose();
    model.dispose();
  });
}
