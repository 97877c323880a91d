import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { SCHEMES } from '../../src/config/residual-schemes.js';
import type { ModelConfig } from '../../src/config/schema.js';
import { fairseqArgs, fairseqState, modelFromArgs } from '../../src/model/fairseq-checkpoint.js';
import { weightNames } from '../../src/model/fairseq-names.js';
import { parameterSpecs } from '../../src/model/parameters.js';
import { RESIDUALS, tinyConfig, VOCABULARY } from './models.js';

const argsOf = (config: ModelConfig) =>
  new Map<string, unknown>(Object.entries(fairseqArgs(config, 'de', 'en')));

test('args say the model again', () => {
  for (const residual of RESIDUALS.filter((name) => SCHEMES[name].fairseq.writes !== null)) {
    for (const shareEmbeddings of ['all', 'decoder', 'none'] as const) {
      const config = tinyConfig({ residual, shareEmbeddings, positions: 'learned', decoder: { layers: 3 } });
      const { omega, ...expected } = config;
      // The official code computes look-linear as Post-LN: it starts elsewhere.
      const found = residual === 'look-linear' ? 'post-ln' : residual;
      assert.deepEqual(modelFromArgs(argsOf(config)), { ...expected, residual: found });
    }
  }
});

test('what the official code cannot build is refused', () => {
  for (const residual of ['rezero', 'rezero-post-ln', 'b2t', 'sub-ln'] as const) {
    assert.throws(() => fairseqArgs(tinyConfig({ residual }), 'de', 'en'), UserError);
  }
  assert.throws(() => fairseqArgs(tinyConfig({ scaleEmbeddings: false }), 'de', 'en'), /always scales/);
});

test('the state has the names of the official code, and gives the names of the weights again', () => {
  for (const shareEmbeddings of ['all', 'decoder', 'none'] as const) {
    const config = tinyConfig({ shareEmbeddings });
    const names = parameterSpecs(config, VOCABULARY).map(({ name }) => name);
    const weights = new Map(names.map((name) => [name, { shape: [1], data: Float32Array.of(2) }]));
    const state = fairseqState(config, weights);
    for (const name of ['encoder.version', 'decoder.embed_positions._float_tensor'])
      assert.ok(state.has(name));
    assert.ok(state.has('decoder.embed_tokens.weight'));
    assert.equal(state.has('decoder.embed_out'), shareEmbeddings === 'none');
    assert.deepEqual(weightNames(config, state.keys()), names);
  }
});

test('every option without a form here is named', () => {
  const args = argsOf(tinyConfig());
  const complaints = (changes: Record<string, unknown>) => {
    try {
      modelFromArgs(new Map([...args, ...Object.entries(changes)]));
      return [];
    } catch (error) {
      assert.ok(error instanceof UserError);
      return error.complaints.map(({ problem }) => problem);
    }
  };
  assert.deepEqual(complaints({}), []);
  assert.match(
    complaints({ init_type: 'default', encoder_normalize_before: true })[0],
    /decoder_normalize_before/,
  );
  const found = complaints({
    adaptive_softmax_cutoff: '1000,2000',
    decoder_ffn_embed_dim: 99,
    decoder_learned_pos: true,
    encoder_layers: undefined,
    activation_fn: 'swish',
    init_type: new Map(),
  });
  const expected = [
    /cutoff null, found 1000/,
    /12 and 99/,
    /learned_pos/,
    /encoder_layers/,
    /swish/,
    /an object/,
  ];
  assert.equal(found.length, expected.length, found.join('\n'));
  for (const pattern of expected)
    assert.ok(
      found.some((problem) => pattern.test(problem)),
      `${pattern}`,
    );
  assert.equal(complaints({ encoder_normalize_before: true, decoder_normalize_before: true }).length, 1);
});

test('deepnmt and newer fairseq say the same by other names', () => {
  const args = argsOf(tinyConfig({ residual: 'admin' }));
  const model = (changes: Record<string, unknown>, without: string[] = []) =>
    modelFromArgs(new Map([...args, ...Object.entries(changes)].filter(([name]) => !without.includes(name))));
  assert.equal(model({ admin_init_type: 'adaptive' }, ['init_type']).residual, 'admin');
  assert.equal(model({ admin_init_type: 'default' }, ['init_type']).residual, 'post-ln');
  assert.equal(model({}, ['init_type']).residual, 'post-ln');
  assert.equal(model({ residual_bottom_to_top: true }, ['init_type']).residual, 'b2t');
  assert.throws(() => model({ residual_bottom_to_top: true, no_layer_norm: true }), /no_layer_norm/);
  assert.equal(model({ no_scale_embedding: true }).scaleEmbeddings, false);
  assert.equal(model({ activation_dropout: 0, relu_dropout: 0.25 }).activationDropout, 0.25);
  assert.equal(model({ activation_dropout: 0.5, relu_dropout: 0.25 }).activationDropout, 0.5);
});
