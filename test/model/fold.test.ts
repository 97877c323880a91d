import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { Purpose, RandomStream } from '../../src/common/rng.js';
import type { ModelConfig } from '../../src/config/schema.js';
import { foldOmega } from '../../src/model/fold.js';
import { omegaName, sitesOf } from '../../src/model/scheme.js';
import { Transformer, type WeightValues } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { batchOf, relativeError, tinyConfig, useBackend, VOCABULARY } from './models.js';

type Weights = Map<string, WeightValues>;
type Draw = (uniform: () => number) => number;

const BATCH = batchOf();

/** Weights as training leaves them: nothing is 0 or 1 that need not be. ω are drawn by a function. */
function trained(config: ModelConfig, omega: Draw): Weights {
  const model = Transformer.create(config, VOCABULARY, 3, ones(config));
  const stream = new RandomStream({ seed: 7, step: 0, purpose: Purpose.init, site: 999 });
  const uniform = () => stream.nextUniform();
  const weights: Weights = new Map();
  for (const [name, weight] of model.weights) {
    const data = (weight.dataSync() as Float32Array).slice();
    const isOmega = name.endsWith('ratio_change');
    const moved = isOmega
      ? data.map(() => omega(uniform))
      : data.map((value) => value + 0.3 * (uniform() - 0.5));
    if (name.includes('embed_')) moved.fill(0, config.embedDim, 2 * config.embedDim); // <pad>
    weights.set(name, { shape: weight.shape, data: moved });
  }
  model.dispose();
  return weights;
}

const ones = ({ encoder, decoder }: ModelConfig) => ({
  encoder: new Array(2 * encoder.layers).fill(1),
  decoder: new Array(3 * decoder.layers).fill(1),
});

/** Logits of all tokens of the batch, [T · V]. */
function logitsOf(config: ModelConfig, weights: Weights): Float32Array {
  const model = Transformer.fromWeights(config, VOCABULARY, weights);
  try {
    return tf.tidy(() => {
      const mode = { training: null };
      const memory = model.encode(BATCH.source, mode);
      const hidden = model.decode(BATCH.targetInput, memory, BATCH.source.offsets, mode);
      return tf.matMul(hidden, model.outputWeight(), false, true).dataSync().slice() as Float32Array;
    });
  } finally {
    model.dispose();
  }
}

const CASES: [name: string, changes: Partial<ModelConfig>][] = [
  ['tied embeddings, sinusoids', {}],
  ['output tied to the decoder, learned positions', { shareEmbeddings: 'decoder', positions: 'learned' }],
  ['nothing tied, no scale', { shareEmbeddings: 'none', scaleEmbeddings: false }],
  ['deeper, gelu', { encoder: { layers: 5 }, decoder: { layers: 3 }, activationFn: 'gelu' }],
];

/** Near its starting value, a few percent apart, as trained ω are; some far from it, some negative. */
const likeTrained: Draw = (uniform) =>
  uniform() < 0.1 ? 4 * (uniform() - 0.5) : 1.5 + 0.4 * (uniform() - 0.5);
/** Scaling by powers of two rounds nothing, so the two models differ in no bit where the algebra is right. */
const powerOfTwo: Draw = (uniform) => (uniform() < 0.5 ? 1 : -1) * 2 ** Math.floor(7 * uniform() - 3);

for (const [name, changes] of CASES) {
  const config = tinyConfig(changes);

  test(`${name}: ω that are powers of two fold without any rounding`, async () => {
    await useBackend('cpu');
    const weights = trained(config, powerOfTwo);
    const folded = foldOmega(config, weights);
    assert.equal(folded.config.residual, 'post-ln');
    assert.deepEqual(logitsOf(folded.config, folded.weights), logitsOf(config, weights));
  });

  test(`${name}: ω as training leaves them fold up to rounding`, async () => {
    await useBackend('cpu');
    const weights = trained(config, likeTrained);
    const folded = foldOmega(config, weights);
    const error = relativeError(logitsOf(folded.config, folded.weights), logitsOf(config, weights));
    assert.ok(error < 1e-5, `${error}`);
    const plain = logitsOf({ ...config, residual: 'post-ln' }, withoutOmega(weights));
    assert.ok(relativeError(plain, logitsOf(config, weights)) > 0.1, 'ω matters in this model');
  });
}

function withoutOmega(weights: Weights): Weights {
  return new Map([...weights].filter(([name]) => !name.endsWith('ratio_change')));
}

/** Weights whose first ω of the named stacks are 1. */
function withFirstOne(config: ModelConfig, ...stacks: ('encoder' | 'decoder')[]): Weights {
  const weights = trained(config, likeTrained);
  for (const stack of stacks) weights.get(omegaName(sitesOf(config, stack)[0]))!.data.fill(1);
  return weights;
}

test('embeddings stay tied and positions sinusoidal as far as the first ω are 1', async () => {
  await useBackend('cpu');
  const config = tinyConfig();
  const expected = [
    [['encoder', 'decoder'], 'all', 'sinusoidal'],
    [['decoder'], 'decoder', 'learned'],
    [['encoder'], 'none', 'learned'],
  ] as const;
  for (const [stacks, shareEmbeddings, positions] of expected) {
    const weights = withFirstOne(config, ...stacks);
    const folded = foldOmega(config, weights);
    assert.deepEqual(folded.config, { ...config, residual: 'post-ln', shareEmbeddings, positions });
    const error = relativeError(logitsOf(folded.config, folded.weights), logitsOf(config, weights));
    assert.ok(error < 1e-5, `${stacks}: ${error}`);
  }
});

test('given weights are left as they are', () => {
  const config = tinyConfig();
  const weights = trained(config, likeTrained);
  const before = new Map([...weights].map(([name, { data }]) => [name, data.slice()]));
  foldOmega(config, weights);
  for (const [name, { data }] of weights) assert.deepEqual(data, before.get(name), name);
});

test('components near zero are folded and reported, zeros and NaN are refused', async () => {
  await useBackend('cpu');
  const config = tinyConfig();
  const name = 'decoder.layers.1.encoder_ratio_change';
  const weights = trained(config, likeTrained);
  const omega = weights.get(name)!.data;
  omega.set([1e-6, -1e-4], 2);
  const { small, ...folded } = foldOmega(config, weights);
  assert.deepEqual(small, [{ name, components: 2, least: Math.fround(1e-6) }]);
  const error = relativeError(logitsOf(folded.config, folded.weights), logitsOf(config, weights));
  assert.ok(error < 1e-5, `${error}`);
  for (const value of [0, -0, Number.NaN, Infinity, 1e-30]) {
    omega[3] = value;
    const refused = (error: unknown) =>
      error instanceof UserError && /encoder_ratio_change: cannot fold .*component 3/.test(error.message);
    assert.throws(() => foldOmega(config, weights), refused);
  }
});

test('a model without ω, and one with a weight that is not finite, are refused', () => {
  const postLn = tinyConfig({ residual: 'post-ln' });
  assert.throws(() => foldOmega(postLn, trained(postLn, likeTrained)), /residual post-ln, which has no ω/);
  const config = tinyConfig();
  const weights = trained(config, likeTrained);
  weights.get('encoder.layers.0.fc2.bias')!.data[1] = Number.NaN;
  assert.throws(() => foldOmega(config, weights), /encoder.layers.0.fc2.bias: expected finite weights/);
});
