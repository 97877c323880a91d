import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESIDUALS } from '../../src/config/residual-schemes.js';
import { parameterSpecs } from '../../src/model/parameters.js';
import { normName, omegaName, sitesOf } from '../../src/model/scheme.js';
import { describePlace, placeOfParameter } from '../../src/model/site-names.js';
import { tinyModelConfig } from '../train/tiny.js';

test('every parameter of every scheme has a place, and norms and ω that of their sublayer', () => {
  for (const residual of RESIDUALS) {
    const config = tinyModelConfig({ residual, shareEmbeddings: 'none', positions: 'learned' });
    for (const { name } of parameterSpecs(config, { source: 8, target: 8 })) {
      const { stack, layer, sublayer } = placeOfParameter(name);
      assert.ok(name.startsWith(stack));
      assert.equal(layer, name.includes('.layers.') ? 0 : null, name);
      assert.equal(sublayer === null, layer === null || name.endsWith('rezero_weight'), name);
    }
    for (const site of [...sitesOf(config, 'encoder'), ...sitesOf(config, 'decoder')]) {
      assert.deepEqual(placeOfParameter(`${normName(site)}.weight`), site);
      assert.deepEqual(placeOfParameter(omegaName(site)), site);
    }
  }
});

test('places in words', () => {
  const words = (name: string) => describePlace(placeOfParameter(name));
  assert.equal(words('decoder.layers.11.encoder_attn.in_proj_weight'), 'decoder layer 11, encoder attention');
  assert.equal(words('encoder.layers.0.fc1.bias'), 'encoder layer 0, feed-forward');
  assert.equal(words('decoder.layers.3.rezero_weight'), 'decoder layer 3');
  assert.equal(words('encoder.embed_tokens.weight'), 'encoder');
  assert.throws(() => placeOfParameter('head.weight'), /no parameter/);
});
