import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownNames, weightNames } from '../../src/model/fairseq-names.js';
import { parameterSpecs } from '../../src/model/parameters.js';
import type { WeightValues } from '../../src/model/transformer.js';
import { tinyConfig, VOCABULARY } from './models.js';

/** A model's weights, each number another one. */
function numbered(config: ReturnType<typeof tinyConfig>): Map<string, WeightValues> {
  let count = 0;
  return new Map(
    parameterSpecs(config, VOCABULARY).map(({ name, shape }) => {
      const size = shape.reduce((product, each) => product * each, 1);
      return [name, { shape, data: Float32Array.from({ length: size }, () => count++) }];
    }),
  );
}

/** Weights as fairseq ≥ 0.9 names them: three linear maps an attention. */
function split(weights: ReadonlyMap<string, WeightValues>): Map<string, WeightValues> {
  const parts = new Map<string, WeightValues>();
  for (const [name, { shape, data }] of weights) {
    const [, prefix, part] = /^(.*_attn\.)in_proj_(weight|bias)$/.exec(name) ?? [];
    const separate = /^(.*_attn\.[qkv]_proj)_weight$/.exec(name);
    if (prefix === undefined) parts.set(separate ? `${separate[1]}.weight` : name, { shape, data });
    else
      ['k', 'v', 'q'].forEach((letter) => {
        const [place, size] = ['qkv'.indexOf(letter), data.length / 3];
        const rows = data.slice(place * size, (place + 1) * size);
        parts.set(`${prefix}${letter}_proj.${part}`, {
          shape: [shape[0] / 3, ...shape.slice(1)],
          data: rows,
        });
      });
  }
  return parts;
}

test('q, k and v of their own become the matrices of this model, in its order', () => {
  for (const residual of ['admin', 'deepnorm'] as const) {
    const config = tinyConfig({ residual, shareEmbeddings: 'none' });
    const weights = numbered(config);
    const named = split(weights);
    named.set('decoder.output_projection.weight', named.get('decoder.embed_out')!);
    named.delete('decoder.embed_out');
    const found = ownNames(config, named);
    assert.deepEqual([...found].sort(), [...weights].sort());
  }
});

test('what has these names already stays, and what lacks a part, too', () => {
  const config = tinyConfig({ residual: 'post-ln' });
  const weights = numbered(config);
  assert.deepEqual(ownNames(config, weights), weights);
  const named = split(weights);
  named.delete('encoder.layers.1.self_attn.k_proj.weight');
  const found = ownNames(config, named);
  assert.ok(found.has('encoder.layers.1.self_attn.q_proj.weight'));
  assert.ok(!found.has('encoder.layers.1.self_attn.in_proj_weight'));
});

test('an output projection that is tied is not read twice', () => {
  const names = ['encoder.version', 'encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'];
  const all = [...names, 'decoder.output_projection.weight'];
  assert.deepEqual(weightNames({ shareEmbeddings: 'all' }, all), [names[1]]);
  assert.deepEqual(weightNames({ shareEmbeddings: 'decoder' }, all), names.slice(1));
  assert.deepEqual(weightNames({ shareEmbeddings: 'none' }, all), all.slice(1));
});
