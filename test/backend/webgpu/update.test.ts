import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import type { WebGpuBackend } from '../../../src/backend/webgpu/backend.js';
import { camelizeKeys } from '../../../src/config/camel.js';
import { configSchema } from '../../../src/config/schema.js';
import { packBatch } from '../../../src/data/batch.js';
import { EOS } from '../../../src/data/dictionary.js';
import { Transformer } from '../../../src/model/transformer.js';
import { tf } from '../../../src/ops/tf.js';
import { Updater } from '../../../src/train/update.js';
import { allClose } from '../../ops/all-close.js';
import { availableBackends } from '../../ops/backends.js';

const skip = !availableBackends.includes('webgpu') && 'there is no graphics card, not even in software';
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Layers as in the base model, and all else as small as it can be. */
function smallUpdater(): Updater {
  const { model, train } = camelizeKeys(configSchema.parse({}));
  const config = {
    ...model,
    ...{ residual: 'admin' as const, omega: { ...model.omega, init: 'analytic' as const } },
    ...{ embedDim: 64, ffnEmbedDim: 8, attentionHeads: 2, encoder: { layers: 6 }, decoder: { layers: 6 } },
    ...{ dropout: 0.1, attentionDropout: 0.1, activationDropout: 0.1 },
  };
  const made = Transformer.create(config, { source: 20, target: 20 }, 1);
  return new Updater(made, { ...train, seed: 1, updateFreq: 1 });
}

const BATCH = packBatch(
  [0, 1],
  [
    { source: Int32Array.of(5, 6, 7, EOS), target: Int32Array.of(8, 9, EOS) },
    { source: Int32Array.of(10, EOS), target: Int32Array.of(11, 12, 13, EOS) },
  ],
  EOS,
);

describe('an update on a graphics card', { skip }, () => {
  before(() => initBackend('webgpu'));

  test('of 6 + 6 layers: at most 450 programs in 4 submissions, no new buffers, and nothing is waited for', async () => {
    const backend = tf.backend() as unknown as WebGpuBackend;
    const { encoder, device } = backend;
    const updater = smallUpdater();
    const reads = device.readSync;
    for (let update = 0; update < 3; update++) {
      encoder.flush();
      const before = { ...encoder.counts };
      device.readSync = () => assert.fail('a tensor is waited for');
      try {
        const { loss, nll, gradientNorm } = updater.apply([BATCH], update, 1e-3);
        encoder.flush();
        assert.ok(Number.isFinite((await gradientNorm.data())[0]));
        tf.dispose([loss, nll, gradientNorm]);
      } finally {
        device.readSync = reads;
      }
      if (update === 0) continue;
      const { dispatches, batches, buffers } = encoder.counts;
      assert.ok(dispatches - before.dispatches <= 450, `${dispatches - before.dispatches}`);
      assert.ok(batches - before.batches <= 4, `${batches - before.batches}`);
      assert.equal(buffers - before.buffers, 0);
    }
    updater.dispose();
    updater.model.dispose();
  });

  test('the lesser and the greater of two numbers, and what is none; numbers side by side', () => {
    const [a, b] = [tf.add(tf.tensor1d([1, 3, nan, 1, -inf]), 0), tf.tensor1d([2, -2, 0, nan, inf])];
    allClose(tf.minimum(a, b), [1, -2, nan, nan, -inf]);
    allClose(tf.maximum(a, b), [2, 3, nan, nan, inf]);
    allClose(tf.minimum(a, 1), [1, 1, nan, 1, -inf]);
    const stacked = tf.stack([tf.sum(tf.slice(b, 0, 2)), tf.scalar(4)]);
    assert.deepEqual(stacked.shape, [2]);
    allClose(stacked, [0, 4]);
    assert.deepEqual(tf.stack([a, b]).shape, [2, 5]);
  });
});
