import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { packBatch } from '../../src/data/batch.js';
import { describeNonFinite, findNonFinite } from '../../src/model/non-finite.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { availableBackends } from '../ops/backends.js';
import { BACKENDS, copyTask, tinyModelConfig, useBackend, VOCABULARY } from '../train/tiny.js';

const batch = packBatch(
  [0, 1, 2],
  [0, 1, 2].map((i) => copyTask(3).pair(i)),
  2,
);
const HUGE = 3e38;

/** What is found first in a model with some weights changed. */
async function found(
  changes: Record<string, (i: number) => number>,
  residual: 'admin' | 'pre-ln' = 'admin',
  precision: Transformer['precision'] = 'float32',
): Promise<string | null> {
  const layers = { encoder: { layers: 2 }, decoder: { layers: 2 } };
  const config = tinyModelConfig({ residual, shareEmbeddings: 'none', ...layers });
  const model = Transformer.create(config, VOCABULARY, 1);
  model.precision = precision;
  try {
    for (const [name, change] of Object.entries(changes)) {
      const weight = model.weights.get(name)!;
      const values = weight.dataSync<'float32'>().map((_, i) => change(i));
      tf.tidy(() => weight.assign(tf.tensor(values, weight.shape)));
    }
    const { numTensors } = tf.memory();
    const first = await findNonFinite(model, batch, 0.1, { seed: 1, step: 3 });
    assert.equal(tf.memory().numTensors, numTensors, 'no tensors are left');
    return first === null ? null : describeNonFinite(first);
  } finally {
    model.dispose();
  }
}

for (const backend of availableBackends) {
  describe(`the first value that is not finite, on ${backend}`, () => {
    before(() => useBackend(backend));

    test('none in a healthy model', async () => assert.equal(await found({}), null));

    test('a weight, by its name and sublayer, whatever comes of it', async () => {
      assert.equal(
        await found({
          'decoder.layers.1.encoder_attn.out_proj.bias': (i) => (i === 3 ? Number.NaN : 0),
          'decoder.layers.1.fc2.bias': () => Infinity,
        }),
        'the weight decoder.layers.1.encoder_attn.out_proj.bias (decoder layer 1, encoder attention)',
      );
    });

    test('forward: embeddings, a branch, an output, in their order', async () => {
      const cases = {
        'encoder.embed_tokens.weight': 'encoder: the embeddings (forward)',
        'decoder.embed_tokens.weight': 'decoder: the embeddings (forward)',
        'encoder.layers.1.self_attn.out_proj.weight': 'encoder layer 1, self-attention: the branch (forward)',
        'decoder.layers.0.encoder_attn.out_proj.weight':
          'decoder layer 0, encoder attention: the branch (forward)',
        'decoder.layers.1.fc2.weight': 'decoder layer 1, feed-forward: the branch (forward)',
        'encoder.layers.0.final_layer_norm.weight': 'encoder layer 0, feed-forward: the output (forward)',
        'decoder.layers.1.final_layer_norm.weight': 'decoder layer 1, feed-forward: the output (forward)',
      };
      for (const [name, expected] of Object.entries(cases))
        assert.equal(await found({ [name]: () => HUGE }), expected);
    });

    test('the loss', async () => {
      assert.equal(
        await found({ 'decoder.embed_out': (i) => (i % 2 === 0 ? HUGE : -HUGE) }),
        'the loss (forward)',
      );
    });

    test('backward: the sublayer whose gradient overflows first on its way back', async () => {
      const prefix = 'encoder.layers.1.';
      const first = await found({
        [`${prefix}fc1.weight`]: () => 0,
        [`${prefix}fc1.bias`]: () => 1e-37,
        [`${prefix}fc2.weight`]: (i) => ((i * i) % 7 < 3 ? HUGE : -HUGE),
      });
      assert.match(
        first!,
        /^encoder layer 1, feed-forward: the gradient of encoder\.layers\.1\.fc1\.\w+ \(backward\)$/,
      );
    });
  });
}

test('the products are those of the precision of training: a weight that only bfloat16 rounds to infinity', {
  skip: !BACKENDS.includes('native') && 'the native engine is not built',
}, async () => {
  await useBackend('native');
  const changes = {
    'decoder.layers.0.fc1.weight': () => 0,
    'decoder.layers.0.fc1.bias': () => 1e-30,
    'decoder.layers.0.fc2.weight': (i: number) => (i === 0 ? 3.4e38 : 0),
  };
  assert.match((await found(changes))!, /^decoder layer 0, feed-forward: the gradient of .* \(backward\)$/);
  assert.equal(
    await found(changes, 'admin', 'bfloat16'),
    'decoder layer 0, feed-forward: the branch (forward)',
  );
});
