import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { initBackend } from '../../src/backend/init.js';
import type { ModelConfig } from '../../src/config/schema.js';
import type { Batch } from '../../src/data/batch.js';
import { ForcedDecoder } from '../../src/model/forced-decoder.js';
import type { Guidance } from '../../src/model/guided-alignment.js';
import { lossGradients } from '../../src/model/loss-gradients.js';
import { PreparedLinears, type Recompute } from '../../src/model/pass.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { availableBackends } from '../ops/backends.js';
import { normals } from '../ops/samples.js';
import { batchOf, PAIRS, relativeError, tinyConfig, VOCABULARY } from './models.js';

/** Source and target place in turn: a token with two links, one without, `</s>` with one. */
const LINKS = [
  [0, 0, 1, 0, 2, 3],
  [0, 1],
  [4, 0],
  [0, 0, 1, 3, 0, 3],
];
const aligned = (): Batch => batchOf(PAIRS.map((pair, i) => ({ ...pair, links: Int32Array.from(LINKS[i]) })));

const GUIDANCE: Guidance = { layer: 1, head: null, weight: 0.7 };
const DROPOUTS = { dropout: 0.2, attentionDropout: 0.1, activationDropout: 0.3 };
const TRAINING = { seed: 7, step: 3 };

function modelOf(guidance: Guidance | null, changes: Partial<ModelConfig> = {}): Transformer {
  const model = Transformer.create(tinyConfig({ decoder: { layers: 3 }, ...changes }), VOCABULARY, 1);
  model.guidance = guidance;
  return model;
}

/** Loss, cross-entropy of the alignments, and all gradients one after another. */
function numbersOf(model: Transformer, recompute: Recompute, lossScale = 1, batch = aligned()) {
  model.recompute = recompute;
  const found = lossGradients(model, model.trainable, batch, 0.1, { ...TRAINING, lossScale });
  const numbers = {
    loss: found.loss.dataSync()[0],
    alignment: found.alignment?.dataSync()[0],
    gradients: Float32Array.from(found.gradients.flatMap((gradient) => [...gradient.dataSync()])),
  };
  tf.dispose({ ...found });
  return numbers;
}

for (const backend of availableBackends) {
  describe(`an attention that is guided, on ${backend}`, () => {
    test('layers computed again come to the same bits, and nothing stays behind', {
      skip: backend === 'webgpu' && 'it takes a graphics card in software half a minute',
    }, async () => {
      await initBackend(backend);
      for (const residual of ['admin', 'pre-ln', 'b2t'] as const) {
        const model = modelOf(GUIDANCE, { ...DROPOUTS, residual });
        const before = tf.memory().numTensors;
        const [kept, again] = [numbersOf(model, 'none'), numbersOf(model, 'layers')];
        assert.equal(tf.memory().numTensors, before);
        assert.deepEqual(again, kept, residual);
        model.dispose();
      }
    });

    test('its cross-entropy is that of what translate aligns by', async () => {
      await initBackend(backend);
      for (const head of [null, 1]) {
        const model = modelOf({ ...GUIDANCE, head });
        const decoder = new ForcedDecoder(model, 'float32', new PreparedLinears());
        const batch = aligned();
        const matrices = await decoder.attention(batch, { layer: 1, head });
        let expected = 0;
        matrices.forEach(({ columns, weights }, pair) => {
          const links = LINKS[pair];
          const rows = links.filter((_, at) => at % 2 === 1);
          rows.forEach((row, i) => {
            const share = 1 / rows.filter((other) => other === row).length;
            expected -= share * Math.log(weights[row * columns + links[2 * i]] + 1e-6);
          });
        });
        const { alignment } = numbersOf(model, 'none');
        assert.ok(Math.abs(alignment! - expected) < 1e-4 * expected, `${alignment}, expected ${expected}`);
        model.dispose();
      }
    });
  });
}

/** Loss and weighted cross-entropy of weights that are moved along a direction. */
function total(model: Transformer, direction: Float32Array, step: number): number {
  let at = 0;
  for (const weight of model.trainable) {
    const part = direction.subarray(at, at + weight.size);
    at += weight.size;
    tf.tidy(() => weight.assign(tf.add(weight, tf.mul(tf.tensor(part, weight.shape), step))));
  }
  const { loss, alignment } = numbersOf(model, 'none');
  return loss + GUIDANCE.weight * alignment!;
}

test('gradients are those of the sum, by central differences along the gradient and across', async () => {
  await initBackend('cpu');
  for (const residual of ['admin', 'pre-ln', 'b2t'] as const) {
    const model = modelOf(GUIDANCE, { residual, activationFn: 'gelu' }); // relu has a kink
    const { gradients } = numbersOf(model, 'none');
    for (const seed of [0, 1, 2]) {
      const random = normals(gradients.length, 50 + seed);
      const norm = Math.hypot(...gradients);
      const direction = seed === 0 ? gradients.map((x) => x / norm) : random.map((x) => 0.1 * x);
      const expected = gradients.reduce((sum, x, i) => sum + x * direction[i], 0);
      const h = 2 ** -9;
      const ahead = total(model, direction, h);
      const behind = total(model, direction, -2 * h);
      total(model, direction, h);
      const found = (ahead - behind) / (2 * h);
      assert.ok(Math.abs(found - expected) < 0.01 * norm, `${residual}: ${found}, expected ${expected}`);
    }
    model.dispose();
  }
});

test('the weight scales what the gradient gains, and the scale of the loss all of it', async () => {
  await initBackend('cpu');
  const of = (weight: number, lossScale = 1): Float32Array => {
    const model = modelOf({ ...GUIDANCE, weight });
    const { gradients } = numbersOf(model, 'none', lossScale);
    model.dispose();
    return gradients;
  };
  const [none, one, three] = [of(0), of(1), of(3)];
  const gained = (all: Float32Array): Float32Array => all.map((x, i) => x - none[i]);
  assert.ok(Math.hypot(...gained(one)) > 0.1);
  assert.ok(
    relativeError(
      gained(three),
      gained(one).map((x) => 3 * x),
    ) < 1e-4,
  );
  assert.ok(
    relativeError(
      of(1, 1024),
      one.map((x) => 1024 * x),
    ) < 1e-5,
  );
});

test('a batch without alignments, and a model without guidance, have none', async () => {
  await initBackend('cpu');
  const model = modelOf(GUIDANCE);
  assert.equal(numbersOf(model, 'none', 1, batchOf()).alignment, undefined);
  model.guidance = null;
  assert.equal(numbersOf(model, 'none').alignment, undefined);
  model.dispose();
});
