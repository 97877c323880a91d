import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialValues, parameterSpecs } from '../../src/model/parameters.js';
import { deepnormConstants, subLnGain } from '../../src/model/scheme.js';
import { tinyConfig } from './models.js';

const VOCABULARY = { source: 24, target: 32 };

/** Shapes by name. */
function shapes(changes: Parameters<typeof tinyConfig>[0]): Record<string, string> {
  const config = tinyConfig({ encoder: { layers: 1 }, decoder: { layers: 1 }, ...changes });
  return Object.fromEntries(
    parameterSpecs(config, VOCABULARY).map(({ name, shape }) => [name, shape.join('x')]),
  );
}

/** Initial values of one parameter. */
function values(name: string, changes: Parameters<typeof tinyConfig>[0], seed = 1): Float32Array {
  const specs = parameterSpecs(tinyConfig(changes), VOCABULARY);
  const place = specs.findIndex((spec) => spec.name === name);
  assert.notEqual(place, -1, name);
  return initialValues(specs[place], place, seed);
}

const largest = (array: Float32Array): number => array.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
const deviation = (array: Float32Array): number =>
  Math.sqrt(array.reduce((sum, x) => sum + x * x, 0) / array.length);

test('names and shapes are the official ones', () => {
  const layerNorm = (name: string) => ({ [`${name}.weight`]: '8', [`${name}.bias`]: '8' });
  const attention = (name: string) => ({
    [`${name}.in_proj_weight`]: '24x8',
    [`${name}.in_proj_bias`]: '24',
    [`${name}.out_proj.weight`]: '8x8',
    [`${name}.out_proj.bias`]: '8',
  });
  const feedForward = (layer: string) => ({
    [`${layer}.fc1.weight`]: '12x8',
    [`${layer}.fc1.bias`]: '12',
    [`${layer}.fc2.weight`]: '8x12',
    [`${layer}.fc2.bias`]: '8',
  });
  const [encoder, decoder] = ['encoder.layers.0', 'decoder.layers.0'];
  assert.deepEqual(shapes({ residual: 'admin' }), {
    'encoder.embed_tokens.weight': '24x8',
    ...attention(`${encoder}.self_attn`),
    ...feedForward(encoder),
    [`${encoder}.attention_ratio_change`]: '8',
    [`${encoder}.fc_ratio_change`]: '8',
    ...layerNorm(`${encoder}.self_attn_layer_norm`),
    ...layerNorm(`${encoder}.final_layer_norm`),
    ...attention(`${decoder}.self_attn`),
    ...attention(`${decoder}.encoder_attn`),
    ...feedForward(decoder),
    [`${decoder}.self_ratio_change`]: '8',
    [`${decoder}.encoder_ratio_change`]: '8',
    [`${decoder}.fc_ratio_change`]: '8',
    ...layerNorm(`${decoder}.self_attn_layer_norm`),
    ...layerNorm(`${decoder}.encoder_attn_layer_norm`),
    ...layerNorm(`${decoder}.final_layer_norm`),
  });
});

test('what a scheme adds or takes away', () => {
  const names = (residual: NonNullable<Parameters<typeof tinyConfig>[0]>['residual']) => shapes({ residual });
  assert.equal(names('pre-ln')['encoder.layer_norm.weight'], '8');
  assert.equal(names('pre-ln')['decoder.layer_norm.bias'], '8');
  assert.equal(names('post-ln')['encoder.layer_norm.weight'], undefined);
  assert.equal(names('rezero')['decoder.layers.0.rezero_weight'], '1');
  assert.ok(!Object.keys(names('rezero')).some((name) => name.includes('layer_norm')));
  assert.equal(names('rezero-post-ln')['encoder.layers.0.self_attn_layer_norm.weight'], '8');
  const deepnorm = names('deepnorm');
  for (const which of 'qkv') {
    assert.equal(deepnorm[`decoder.layers.0.encoder_attn.${which}_proj_weight`], '8x8');
  }
  assert.equal(deepnorm['encoder.layers.0.self_attn.in_proj_weight'], undefined);
  assert.equal(deepnorm['encoder.layers.0.self_attn.in_proj_bias'], '24');
});

test('embeddings: tied three ways, in the decoder, or not at all; learned positions', () => {
  const tables = (changes: Parameters<typeof tinyConfig>[0]) =>
    Object.entries(shapes(changes)).filter(([name]) => name.includes('embed'));
  assert.deepEqual(tables({ shareEmbeddings: 'all' }), [['encoder.embed_tokens.weight', '24x8']]);
  assert.deepEqual(tables({ shareEmbeddings: 'decoder' }), [
    ['encoder.embed_tokens.weight', '24x8'],
    ['decoder.embed_tokens.weight', '32x8'],
  ]);
  assert.deepEqual(tables({ shareEmbeddings: 'none', positions: 'learned', maxPositions: 10 }), [
    ['encoder.embed_tokens.weight', '24x8'],
    ['encoder.embed_positions.weight', '12x8'],
    ['decoder.embed_tokens.weight', '32x8'],
    ['decoder.embed_positions.weight', '12x8'],
    ['decoder.embed_out', '32x8'],
  ]);
});

const WIDE = { embedDim: 64, ffnEmbedDim: 128 } as const;

/** Within its bound, filling it, and as wide as a uniform distribution is. */
function assertXavierUniform(array: Float32Array, fanIn: number, fanOut: number): void {
  const bound = Math.sqrt(6 / (fanIn + fanOut));
  assert.ok(largest(array) <= bound && largest(array) > 0.99 * bound, `${largest(array)} of ${bound}`);
  assert.ok(Math.abs(deviation(array) / (bound / Math.sqrt(3)) - 1) < 0.03);
}

test('Xavier uniform, the fused projection under the bound of its whole [3d, d]', () => {
  const name = 'encoder.layers.0.self_attn';
  assertXavierUniform(values(`${name}.in_proj_weight`, WIDE), 64, 192);
  assertXavierUniform(values(`${name}.out_proj.weight`, WIDE), 64, 64);
  assertXavierUniform(values('decoder.layers.1.fc1.weight', WIDE), 64, 128);
  assert.equal(largest(values(`${name}.in_proj_bias`, WIDE)), 0);
  assert.equal(largest(values('decoder.layers.1.fc2.bias', WIDE)), 0);
});

test('embeddings N(0, 1/d) with a zero row for <pad>; the output projection has none', () => {
  const config = { ...WIDE, shareEmbeddings: 'none' } as const;
  const embeddings = values('decoder.embed_tokens.weight', config);
  assert.equal(largest(embeddings.subarray(64, 128)), 0);
  assert.ok(Math.abs(deviation(embeddings.subarray(128)) / 64 ** -0.5 - 1) < 0.06);
  const output = values('decoder.embed_out', config);
  assert.ok(largest(output.subarray(64, 128)) > 0);
});

test('layer norms 1 and 0, ω 1, the scalar of ReZero 0', () => {
  assert.deepEqual([...new Set(values('encoder.layers.1.final_layer_norm.weight', {}))], [1]);
  assert.deepEqual([...new Set(values('encoder.layers.1.final_layer_norm.bias', {}))], [0]);
  assert.deepEqual([...new Set(values('encoder.layers.1.fc_ratio_change', { residual: 'admin' }))], [1]);
  assert.deepEqual([...values('encoder.layers.1.rezero_weight', { residual: 'rezero' })], [0]);
});

test('DeepNorm: α and β by stack, β on v, out and the feed-forward, 1 on q and k', () => {
  const config = tinyConfig({
    residual: 'deepnorm',
    ...WIDE,
    encoder: { layers: 18 },
    decoder: { layers: 6 },
  });
  const encoder = deepnormConstants(config, 'encoder');
  const decoder = deepnormConstants(config, 'decoder');
  assert.ok(Math.abs(encoder.alpha - 0.81 * (18 ** 4 * 6) ** 0.0625) < 1e-12);
  assert.ok(Math.abs(encoder.beta - 0.87 * (18 ** 4 * 6) ** -0.0625) < 1e-12);
  assert.ok(Math.abs(decoder.alpha - 18 ** 0.25) < 1e-12);
  assert.ok(Math.abs(decoder.beta - 72 ** -0.25) < 1e-12);
  const spread = (name: string, fans: number) => deviation(values(name, config)) / Math.sqrt(2 / fans);
  for (const [stack, gain] of [
    ['encoder', encoder.beta],
    ['decoder', decoder.beta],
  ] as const) {
    const layer = `${stack}.layers.2`;
    const near = (name: string, fans: number, expected: number) => {
      const found = spread(`${layer}.${name}`, fans);
      assert.ok(Math.abs(found / expected - 1) < 0.06, `${layer}.${name}: ${found}, expected ${expected}`);
    };
    near('self_attn.q_proj_weight', 128, 1);
    near('self_attn.k_proj_weight', 128, 1);
    near('self_attn.v_proj_weight', 128, gain);
    near('self_attn.out_proj.weight', 128, gain);
    near('fc1.weight', 192, gain);
    near('fc2.weight', 192, gain);
  }
});

test('look-linear: the second half of fc1 rows and fc2 columns mirrors the first', () => {
  const config = { residual: 'look-linear' } as const;
  const fc1 = values('encoder.layers.0.fc1.weight', config);
  const fc2 = values('encoder.layers.0.fc2.weight', config);
  for (let i = 0; i < 6 * 8; i++) assert.equal(fc1[6 * 8 + i], -fc1[i]);
  for (let row = 0; row < 8; row++) {
    for (let i = 0; i < 6; i++) assert.equal(fc2[row * 12 + 6 + i], -fc2[row * 12 + i]);
  }
  assert.ok(largest(fc1) > 0 && largest(fc2) > 0);
});

test('initial values are a function of seed and parameter', () => {
  const name = 'decoder.layers.0.fc1.weight';
  assert.deepEqual(values(name, {}, 5), values(name, {}, 5));
  assert.notDeepEqual(values(name, {}, 5), values(name, {}, 6));
  assert.notDeepEqual(values(name, {}, 5), values('decoder.layers.1.fc1.weight', {}, 5));
});

test('B2T: every matrix of a branch is drawn for the depth of its stack', () => {
  const changes = { residual: 'b2t', ...WIDE, encoder: { layers: 4 }, decoder: { layers: 9 } } as const;
  for (const [stack, root] of [
    ['encoder', 2],
    ['decoder', 3],
  ] as const) {
    const scaled = (name: string) =>
      values(`${stack}.layers.1.${name}`, changes).map((value) => root * value);
    assertXavierUniform(scaled('self_attn.in_proj_weight'), 64, 192);
    assertXavierUniform(scaled('self_attn.out_proj.weight'), 64, 64);
    assertXavierUniform(scaled('fc1.weight'), 64, 128);
    assertXavierUniform(scaled('fc2.weight'), 128, 64);
  }
});

test('Sub-LN: norms within the branches but for attention to the encoder, γ by stack', () => {
  const names = shapes({ residual: 'sub-ln' });
  assert.equal(names['encoder.layers.0.self_attn.inner_attn_ln.weight'], '8');
  assert.equal(names['decoder.layers.0.ffn_layernorm.bias'], '12');
  assert.equal(names['decoder.layers.0.encoder_attn.inner_attn_ln.weight'], undefined);
  assert.equal(names['decoder.layer_norm.weight'], '8');
  const config = tinyConfig({ residual: 'sub-ln', ...WIDE, encoder: { layers: 18 }, decoder: { layers: 6 } });
  const [ofEncoder, ofDecoder] = (['encoder', 'decoder'] as const).map((stack) => subLnGain(config, stack));
  // γ² = ln 18 · ln 36 / 3 and ln 18, as numbers.
  assert.ok(Math.abs(ofEncoder ** 2 - 3.4525) < 1e-3, `${ofEncoder ** 2}`);
  assert.ok(Math.abs(ofDecoder ** 2 - 2.89037) < 1e-4, `${ofDecoder ** 2}`);
  const near = (name: string, fans: number, expected: number) => {
    const found = deviation(values(name, config)) / Math.sqrt(2 / fans);
    assert.ok(Math.abs(found / expected - 1) < 0.06, `${name}: ${found}, expected ${expected}`);
  };
  near('encoder.layers.2.self_attn.q_proj_weight', 128, 1);
  near('encoder.layers.2.self_attn.v_proj_weight', 128, ofEncoder);
  near('encoder.layers.2.fc1.weight', 192, ofEncoder);
  near('decoder.layers.2.self_attn.out_proj.weight', 128, ofDecoder);
  near('decoder.layers.2.fc2.weight', 192, ofDecoder);
  near('decoder.layers.2.encoder_attn.v_proj_weight', 128, 1);
  near('decoder.layers.2.encoder_attn.out_proj.weight', 128, 1);
});
