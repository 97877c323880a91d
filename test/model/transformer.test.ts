import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { pack } from '../../src/data/batch.js';
import { Transformer, type WeightValues } from '../../src/model/transformer.js';
import { adamStepSize, adamUpdate, zeroMoments } from '../../src/ops/optimizer.js';
import { tf } from '../../src/ops/tf.js';
import {
  BACKENDS,
  batchOf,
  differentiate,
  PAIRS,
  RESIDUALS,
  relativeError,
  tinyConfig,
  useBackend,
  VOCABULARY,
} from './models.js';

const EVALUATION = { training: null };
const ADAM = { lr: 0.01, betas: [0.9, 0.98], eps: 1e-8, weightDecay: 0 } as const;

/** Hidden states of the decoder for some of the pairs, [T · d]. */
function hiddenStates(model: Transformer, pairs: typeof PAIRS): Float32Array {
  const { source, targetInput } = batchOf(pairs);
  return tf.tidy(() => {
    const memory = model.encode(source, EVALUATION);
    return model.decode(targetInput, memory, source.offsets, EVALUATION).dataSync() as Float32Array;
  });
}

/** One step of Adam. @returns the loss before it */
function trainStep(
  model: Transformer,
  moments: ReturnType<typeof zeroMoments>,
  step: number,
  dropoutSeed?: number,
): number {
  const batch = batchOf();
  const training = dropoutSeed === undefined ? null : { seed: dropoutSeed, step };
  const { value, grads } = tf.variableGrads(() => model.loss(batch, 0.1, { training }).loss, model.trainable);
  const gradients = model.trainable.map((weight) => grads[weight.name]);
  adamUpdate(model.trainable, gradients, moments, adamStepSize(step + 1, ADAM), ADAM);
  const loss = value.dataSync()[0];
  tf.dispose([value, grads]);
  return loss;
}

for (const backend of BACKENDS) {
  describe(`on ${backend}`, () => {
    test('a sentence has the same hidden states alone and in a batch', async () => {
      await useBackend(backend);
      for (const residual of RESIDUALS) {
        const model = Transformer.create(tinyConfig({ residual }), VOCABULARY, 1);
        const together = hiddenStates(model, PAIRS);
        const alone = PAIRS.flatMap((pair) => [...hiddenStates(model, [pair])]);
        assert.ok(relativeError(alone, together) < 1e-6, residual);
        model.dispose();
      }
    });

    test('permuting the sentences leaves the loss', async () => {
      await useBackend(backend);
      const model = Transformer.create(tinyConfig(), VOCABULARY, 1);
      const loss = differentiate(model, batchOf(), 0.1).loss;
      const permuted = differentiate(model, batchOf([PAIRS[2], PAIRS[0], PAIRS[3], PAIRS[1]]), 0.1).loss;
      assert.ok(Math.abs(permuted / loss - 1) < 1e-6);
      model.dispose();
    });

    test('the loss falls in every scheme', async () => {
      await useBackend(backend);
      for (const residual of RESIDUALS) {
        const model = Transformer.create(tinyConfig({ residual }), VOCABULARY, 1);
        const moments = zeroMoments(model.trainable);
        const losses = Array.from({ length: 12 }, (_, step) => trainStep(model, moments, step));
        assert.ok(losses[11] < 0.8 * losses[0], `${residual}: ${losses[0]} → ${losses[11]}`);
        tf.dispose([moments.first, moments.second]);
        model.dispose();
      }
    });

    test('the number of tensors is steady over 50 steps and falls to what it was', async () => {
      await useBackend(backend);
      const before = tf.memory().numTensors;
      const model = Transformer.create(
        tinyConfig({ dropout: 0.1, attentionDropout: 0.1, activationDropout: 0.1 }),
        VOCABULARY,
        1,
      );
      const moments = zeroMoments(model.trainable);
      trainStep(model, moments, 0, 7);
      const { numTensors, numBytes } = tf.memory();
      for (let step = 1; step <= 50; step++) {
        trainStep(model, moments, step, 7);
        assert.equal(tf.memory().numTensors, numTensors, `after step ${step}`);
      }
      assert.equal(tf.memory().numBytes, numBytes);
      tf.dispose([moments.first, moments.second]);
      model.dispose();
      assert.equal(tf.memory().numTensors, before);
    });
  });
}

test('dropout is the same on every backend, and another one at each step', async () => {
  const config = tinyConfig({ dropout: 0.3, attentionDropout: 0.3, activationDropout: 0.3 });
  const losses: number[][] = [];
  for (const backend of BACKENDS) {
    await useBackend(backend);
    const model = Transformer.create(config, VOCABULARY, 1);
    losses.push([0, 1, 0].map((step) => differentiate(model, batchOf(), 0.1, { seed: 4, step }).loss));
    losses.at(-1)!.push(differentiate(model, batchOf(), 0.1, { seed: 5, step: 0 }).loss);
    model.dispose();
  }
  const [first, second] = losses;
  assert.ok(relativeError(first, second) < 1e-6);
  assert.equal(first[0], first[2]);
  assert.equal(new Set(first).size, 3);
});

test('every dropout of a forward pass has a mask of its own', async () => {
  await useBackend('cpu');
  const model = Transformer.create(tinyConfig({ dropout: 0.5 }), VOCABULARY, 1);
  const { source, targetInput } = batchOf();
  const pass = model.pass({ training: { seed: 1, step: 3 } });
  tf.tidy(() => model.decode(targetInput, model.encode(source, pass), source.offsets, pass));
  // Encoder: 1 + 2 · (2 + 2), decoder: 1 + 2 · (2 + 2 + 2).
  assert.deepEqual(pass.nextMask(), { seed: 1, step: 3, site: 9 + 13 });
  assert.deepEqual(pass.nextMask(), { seed: 1, step: 3, site: 9 + 13 + 1 });
  assert.equal(model.pass(EVALUATION).nextMask(), null);
  model.dispose();
});

test('a position of the decoder does not see what comes after it', async () => {
  await useBackend('cpu');
  const model = Transformer.create(tinyConfig(), VOCABULARY, 1);
  const [{ source, target }] = PAIRS;
  const changed = Int32Array.from(target);
  changed[2] = 5; // seen from position 3 on
  const [before, after] = [target, changed].map((side) => hiddenStates(model, [{ source, target: side }]));
  assert.deepEqual(after.subarray(0, 3 * 8), before.subarray(0, 3 * 8));
  assert.notDeepEqual(after.subarray(3 * 8), before.subarray(3 * 8));
  model.dispose();
});

test('a ReZero model starts as the identity', async () => {
  await useBackend('cpu');
  const model = Transformer.create(tinyConfig({ residual: 'rezero' }), VOCABULARY, 1);
  const shallow = Transformer.create(
    tinyConfig({ residual: 'rezero', encoder: { layers: 1 }, decoder: { layers: 1 } }),
    VOCABULARY,
    1,
  );
  assert.deepEqual(hiddenStates(model, PAIRS), hiddenStates(shallow, PAIRS));
  model.dispose();
  shallow.dispose();
});

test('a look-linear feed-forward branch starts linear', async () => {
  await useBackend('cpu');
  const branches: tf.Tensor2D[] = [];
  const model = Transformer.create(tinyConfig({ residual: 'look-linear' }), VOCABULARY, 1);
  const { source } = batchOf();
  tf.tidy(() => {
    const inputs: tf.Tensor2D[] = [];
    model.encode(source, {
      training: null,
      probe: ({ layer, sublayer }, shortcut, branch) => {
        if (layer === 0 && sublayer === 'fc') {
          inputs.push(shortcut);
          branches.push(branch);
        }
      },
    });
    const weight = (name: string) => model.weights.get(`encoder.layers.0.${name}`) as unknown as tf.Tensor2D;
    const half = tf.slice(weight('fc1.weight'), [0, 0], [6, 8]);
    const other = tf.slice(weight('fc2.weight'), [0, 0], [8, 6]);
    const linear = tf.matMul(tf.matMul(inputs[0], tf.transpose(half)), tf.transpose(other));
    assert.ok(relativeError(branches[0].dataSync(), linear.dataSync()) < 1e-6);
  });
  model.dispose();
});

test('ω: trained, or constant and out of the trained weights', async () => {
  await useBackend('cpu');
  const isOmega = (name: string) => name.endsWith('ratio_change');
  for (const train of [true, false]) {
    const config = tinyConfig({ omega: { ...tinyConfig().omega, init: 'analytic', train } });
    const model = Transformer.create(config, VOCABULARY, 1);
    const omegas = [...model.weights].filter(([name]) => isOmega(name)).map(([, weight]) => weight);
    assert.equal(omegas.length, 2 * 2 + 2 * 3);
    assert.equal(model.trainable.length, model.weights.size - (train ? 0 : omegas.length));
    const before = omegas.map((weight) => weight.dataSync());
    const moments = zeroMoments(model.trainable);
    trainStep(model, moments, 0);
    const same = omegas.every((weight, i) => relativeError(weight.dataSync(), before[i]) === 0);
    assert.equal(same, !train);
    tf.dispose([moments.first, moments.second]);
    model.dispose();
  }
});

test('ω starts at the given values, by sublayer', async () => {
  await useBackend('cpu');
  const omega = { encoder: [1, 2, 3, 4], decoder: [5, 6, 7, 8, 9, 10] };
  const model = Transformer.create(tinyConfig(), VOCABULARY, 1, omega);
  const first = (name: string) => [...new Set(model.weights.get(name)!.dataSync())];
  assert.deepEqual(first('encoder.layers.1.attention_ratio_change'), [3]);
  assert.deepEqual(first('encoder.layers.1.fc_ratio_change'), [4]);
  assert.deepEqual(first('decoder.layers.0.encoder_ratio_change'), [6]);
  assert.deepEqual(first('decoder.layers.1.self_ratio_change'), [8]);
  assert.deepEqual(first('decoder.layers.1.fc_ratio_change'), [10]);
  model.dispose();
});

test('the output projection is the table that the config says', async () => {
  await useBackend('cpu');
  const vocabulary = { source: 16, target: 24 };
  const cases = [
    ['all', 'encoder.embed_tokens.weight', VOCABULARY],
    ['decoder', 'decoder.embed_tokens.weight', vocabulary],
    ['none', 'decoder.embed_out', vocabulary],
  ] as const;
  for (const [shareEmbeddings, name, sizes] of cases) {
    const model = Transformer.create(tinyConfig({ shareEmbeddings }), sizes, 1);
    assert.equal(model.outputWeight(), model.weights.get(name));
    assert.deepEqual(model.outputWeight().shape, [sizes.target, 8]);
    model.dispose();
  }
});

test('weights go out and come in again; others are refused by the first that does not fit', async () => {
  await useBackend('cpu');
  const config = tinyConfig();
  const model = Transformer.create(config, VOCABULARY, 1);
  const weights = new Map<string, WeightValues>(
    [...model.weights].map(([name, weight]) => [
      name,
      { shape: weight.shape, data: weight.dataSync() as Float32Array },
    ]),
  );
  const again = Transformer.fromWeights(config, VOCABULARY, weights);
  assert.deepEqual(hiddenStates(again, PAIRS), hiddenStates(model, PAIRS));
  again.dispose();
  const refused = (changes: [string, WeightValues | null][], ...patterns: RegExp[]) => {
    const changed = new Map(weights);
    for (const [name, value] of changes) {
      if (value === null) changed.delete(name);
      else changed.set(name, value);
    }
    const count = tf.memory().numTensors;
    assert.throws(
      () => Transformer.fromWeights(config, VOCABULARY, changed, 'model.safetensors'),
      (error: unknown) =>
        error instanceof UserError &&
        [/^model\.safetensors: /, ...patterns].every((pattern) => pattern.test(error.message)),
    );
    assert.equal(tf.memory().numTensors, count);
  };
  const data = new Float32Array(10 * 8);
  refused([['encoder.layers.0.fc1.weight', { shape: [10, 8], data }]], /fc1\.weight.*\[12,8\].*\[10,8\]/);
  refused([['decoder.layers.1.fc_ratio_change', null]], /decoder\.layers\.1\.fc_ratio_change.*none/);
  refused([['encoder.layers.2.fc1.weight', { shape: [10, 8], data }]], /encoder\.layers\.2\.fc1\.weight/);
  model.dispose();
});

test('a sentence of the </s> alone is encoded', async () => {
  await useBackend('cpu');
  const model = Transformer.create(tinyConfig(), VOCABULARY, 1);
  const hidden = tf.tidy(() => model.encode(pack([[2]]), EVALUATION).dataSync());
  assert.ok(hidden.length === 8 && hidden.every(Number.isFinite));
  model.dispose();
});

test('every product of a training is in the precision of the model, forward and backward', {
  skip: !BACKENDS.includes('native') && 'the native engine is not built',
}, async (t) => {
  await useBackend('native');
  const calls = t.mock.method(tf.engine(), 'runKernel').mock;
  for (const activationFn of ['relu', 'gelu'] as const) {
    const model = Transformer.create(tinyConfig({ residual: 'admin', activationFn }), VOCABULARY, 1);
    model.precision = 'bfloat16';
    differentiate(model, batchOf(), 0.1, { seed: 1, step: 0 });
    model.dispose();
  }
  const found = new Set<string>();
  for (const [name, , attributes] of calls.calls.map((call) => call.arguments)) {
    if (attributes === undefined || !('precision' in attributes)) continue;
    found.add(`${name} ${attributes.precision}`);
  }
  assert.deepEqual(
    [...found].filter((call) => !call.endsWith(' bfloat16')),
    [],
  );
  for (const kernel of ['Linear', 'LinearGradient', 'WeightGradient', 'FeedForwardInner', 'CrossEntropy'])
    assert.ok(found.has(`${kernel} bfloat16`), kernel);
});
