import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withPadding } from '../../src/data/batch.js';
import { PADDING_INDEX, parameterSpecs } from '../../src/model/parameters.js';
import { omegaOf, type ProfiledSublayer, profileModel, profileOmega } from '../../src/model/profile.js';
import type { Site } from '../../src/model/scheme.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { BACKENDS, batchOf, PAIRS, relativeError, tinyConfig, useBackend, VOCABULARY } from './models.js';

const DROPOUT = { dropout: 0.2, attentionDropout: 0.1, activationDropout: 0.1 };

function assertClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.ok(
    relativeError(actual, expected) < tolerance,
    `${actual.join(' ')}, expected ${expected.join(' ')}`,
  );
}

/** Population variance. */
function variance(tensor: tf.Tensor): number {
  return tf.tidy(() => tf.moments(tensor).variance.dataSync()[0]);
}

/**
 * A model of width 2 that can be worked on paper: no positions, all weights 0, so a branch is the bias at its end,
 * ±b in every row, with variance b²; and a layer normalisation of two numbers gives ±1, with variance 1.
 */
function paperModel(biases: Record<string, number>): Transformer {
  const config = tinyConfig({
    embedDim: 2,
    ffnEmbedDim: 2,
    attentionHeads: 1,
    positions: 'learned',
    scaleEmbeddings: false,
    shareEmbeddings: 'none',
  });
  const weights = new Map(
    parameterSpecs(config, VOCABULARY).map(({ name, shape }) => {
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
      if (name.endsWith('layer_norm.weight') || name.endsWith('ratio_change')) data.fill(1);
      const end = Object.keys(biases).find((key) => name.endsWith(key));
      const bias = end === undefined ? undefined : biases[end];
      return [
        name,
        { shape, data: bias === undefined ? data : data.map((_, i) => (i % 2 === 0 ? bias : -bias)) },
      ];
    }),
  );
  return Transformer.fromWeights(config, VOCABULARY, weights);
}

test('ω worked by hand on two layers', async () => {
  await useBackend('cpu');
  const model = paperModel({
    'encoder.embed_tokens.weight': Math.sqrt(3), // Var(x₀) = 3
    'decoder.embed_tokens.weight': 2, // Var(x₀) = 4
    'self_attn.out_proj.bias': 1, // Var(f) = 1
    'encoder_attn.out_proj.bias': 3, // 9
    'fc2.bias': 2, // 4
  });
  const profile = await profileModel(model, batchOf(), null);
  // Encoder: ω² = 1, then Var(x₀) + 1 = 4, and from there on ω² · 1 + Var(f): 4 + 4, 8 + 1.
  // Decoder: 1, 4 + 1 = 5, 5 + 9, 14 + 4, 18 + 1, 19 + 9.
  const { encoder, decoder } = omegaOf(profile);
  const squares = (values: number[]) => values.map((omega) => omega ** 2);
  assertClose(squares(encoder), [1, 4, 8, 9], 1e-5);
  assertClose(squares(decoder), [1, 5, 14, 18, 19, 28], 1e-5);
  const column = (key: 'shortcutVariance' | 'branchVariance') => profile.map((entry) => entry[key]);
  assertClose(column('shortcutVariance'), [3, 4, 8, 9, 4, 5, 14, 18, 19, 28], 1e-5);
  assertClose(column('branchVariance'), [1, 4, 1, 4, 1, 9, 4, 1, 9, 4], 1e-5);
  const sites = profile.map(({ stack, layer, sublayer }) => `${stack} ${layer} ${sublayer}`);
  assert.deepEqual(sites, [
    'encoder 0 self',
    'encoder 0 fc',
    'encoder 1 self',
    'encoder 1 fc',
    'decoder 0 self',
    'decoder 0 encoder',
    'decoder 0 fc',
    'decoder 1 self',
    'decoder 1 encoder',
    'decoder 1 fc',
  ]);
  model.dispose();
});

test('padding is looked at beside the tokens, and changes nothing of theirs', async () => {
  await useBackend('cpu');
  for (const positions of ['sinusoidal', 'learned'] as const) {
    const model = Transformer.create(tinyConfig({ ...DROPOUT, positions }), VOCABULARY, 5);
    const training = { seed: 5, step: 0 };
    const [plain, padded] = [batchOf(), withPadding(batchOf(), PADDING_INDEX)].map((batch) =>
      tf.tidy(() => {
        const pass = model.pass({ training });
        const memory = model.encode(batch.source, pass);
        const hidden = model.decode(batch.targetInput, memory, batch.source.offsets, pass);
        return [memory, hidden].map((states) => states.arraySync());
      }),
    );
    const [sources, targets] = padded.map((states, side) => {
      assert.deepEqual(states.slice(0, plain[side].length), plain[side]);
      return states.length;
    });
    assert.deepEqual([sources, targets], [4 * 6, 4 * 6], 'four sentences of up to six tokens a side');
    model.dispose();
  }
});

test('as the official code, variances are over the zeros of padding, too', async () => {
  await useBackend('cpu');
  const model = paperModel({ 'encoder.embed_tokens.weight': 3 });
  // What `<pad>` stands for is zero, as it is after initialisation.
  const embeddings = model.weights.get('encoder.embed_tokens.weight')!;
  const isWord = Array.from({ length: VOCABULARY.source }, (_, id) => [Number(id !== PADDING_INDEX)]);
  embeddings.assign(tf.mul(embeddings, tf.tensor2d(isWord)));
  const padded = { ...model.config, omega: { ...model.config.omega, asOfficial: true } };
  const official = Transformer.fromWeights(
    padded,
    VOCABULARY,
    new Map(
      [...model.weights].map(([name, tensor]) => [
        name,
        { shape: tensor.shape, data: tensor.dataSync() as Float32Array },
      ]),
    ),
  );
  const [first] = await profileModel(official, batchOf(), null);
  // 12 of the 24 places are tokens, whose squares are 9: Var = 9 · tokens / 24.
  const tokens = PAIRS.reduce((sum, { source }) => sum + source.length, 0);
  assertClose([first.shortcutVariance], [(9 * tokens) / 24], 1e-6);
  model.dispose();
  official.dispose();
});

test('the variance of a branch is that of its values, not of its mean', async () => {
  await useBackend('cpu');
  const model = paperModel({ 'encoder.embed_tokens.weight': 1 });
  model.weights.get('encoder.layers.0.self_attn.out_proj.bias')!.assign(tf.tensor1d([5, 5]));
  const [first] = await profileModel(model, batchOf(), null);
  assert.equal(first.branchVariance, 0);
  model.dispose();
});

for (const backend of BACKENDS) {
  describe(`on ${backend}`, () => {
    // What pins the method: the ω of a sublayer is the deviation of its input before normalisation, shortcut and
    // branch counted apart, so in units of ω the input has variance 1.
    test('after initialisation each Var(x·ω) + Var(f(x)) is ω² of the sublayer after it', async () => {
      await useBackend(backend);
      const config = tinyConfig({ ...DROPOUT, encoder: { layers: 4 }, decoder: { layers: 3 } });
      const seed = 11;
      const profile = await profileOmega(config, VOCABULARY, batchOf(), seed);
      const model = Transformer.create(config, VOCABULARY, seed, omegaOf(profile));
      const seen: { site: Site; shortcut: number; branch: number }[] = [];
      tf.tidy(() => {
        model.loss(batchOf(), 0.1, {
          training: { seed, step: 0 },
          probe: (site, shortcut, branch) => {
            seen.push({ site, shortcut: variance(shortcut), branch: variance(branch) });
          },
        });
      });
      assert.equal(seen.length, 4 * 2 + 3 * 3);
      seen.forEach(({ site, shortcut, branch }, i) => {
        const next: ProfiledSublayer | undefined = profile[i + 1];
        if (next?.stack === site.stack) assertClose([(shortcut + branch) / next.omega ** 2], [1], 1e-5);
        else assert.equal(i === seen.length - 1 || next.omega === 1, true);
        // x of every sublayer but the first comes from a layer normalisation: its variance is 1.
        const { omega } = profile[i];
        if (omega !== 1) assertClose([shortcut / omega ** 2], [1], 1e-3);
      });
      model.dispose();
    });

    test('profiling twice gives the same numbers, another seed others; nothing is left behind', async () => {
      await useBackend(backend);
      const config = tinyConfig(DROPOUT);
      const count = tf.memory().numTensors;
      const first = await profileOmega(config, VOCABULARY, batchOf(), 1);
      assert.deepEqual(await profileOmega(config, VOCABULARY, batchOf(), 1), first);
      assert.notDeepEqual(await profileOmega(config, VOCABULARY, batchOf(), 2), first);
      assert.equal(tf.memory().numTensors, count);
    });
  });
}

test('backends agree', async () => {
  const profiles: number[][] = [];
  for (const backend of BACKENDS) {
    await useBackend(backend);
    profiles.push(
      (await profileOmega(tinyConfig(DROPOUT), VOCABULARY, batchOf(), 1)).map(({ omega }) => omega),
    );
  }
  assertClose(profiles[1], profiles[0], 1e-5);
});

test('the order of the sentences plays no part', async () => {
  await useBackend('cpu');
  const [a, b, c, d] = PAIRS;
  const omegas: number[][] = [];
  for (const pairs of [PAIRS, [c, a, d, b]]) {
    const profile = await profileOmega(tinyConfig(), VOCABULARY, batchOf(pairs), 1);
    omegas.push(profile.map(({ omega }) => omega));
  }
  assertClose(omegas[1], omegas[0], 1e-5);
});

test('ω grows with depth, from the initial model with ω = 1 alone', async () => {
  await useBackend('cpu');
  const analytic = tinyConfig({ omega: { ...tinyConfig().omega, init: 'analytic' } });
  const profile = await profileOmega(tinyConfig(), VOCABULARY, batchOf(), 1);
  assert.deepEqual(await profileOmega(analytic, VOCABULARY, batchOf(), 1), profile);
  assert.deepEqual(
    await profileOmega(tinyConfig({ residual: 'post-ln' }), VOCABULARY, batchOf(), 1),
    profile,
  );
  for (const values of Object.values(omegaOf(profile))) {
    for (let i = 2; i < values.length; i++) assert.ok(values[i] > values[i - 1]);
  }
});
