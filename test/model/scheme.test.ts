import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { RESIDUALS, type Residual, SCHEMES, type Scheme } from '../../src/config/residual-schemes.js';
import { fairseqArgs } from '../../src/model/fairseq-checkpoint.js';
import { foldOmega } from '../../src/model/fold.js';
import { setNewOmega } from '../../src/model/grow.js';
import { omegaOf, profileOmega } from '../../src/model/profile.js';
import { omegaName, omegaStacks, sitesOf } from '../../src/model/scheme.js';
import { Transformer, type WeightValues } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { batchOf, differentiate, relativeError, tinyConfig, useBackend, VOCABULARY } from './models.js';

/* A scheme that mixes the switches of today's is an entry of the table and no more. */

const NEW = 'new' as Residual;
const BATCH = batchOf();

function mixed(encoder: Scheme, decoder: Scheme) {
  Object.assign(SCHEMES, { [NEW]: { encoder, decoder, fairseq: { writes: null, reads: [] } } });
  return tinyConfig({ residual: NEW, shareEmbeddings: 'none' });
}

before(() => useBackend('cpu'));
after(() => Reflect.deleteProperty(SCHEMES, NEW));

const valuesOf = ({ weights }: Transformer) =>
  new Map<string, WeightValues>(
    [...weights].map(([name, weight]) => [
      name,
      { shape: weight.shape, data: weight.dataSync().slice() as Float32Array },
    ]),
  );

test('an encoder of any scheme goes with a decoder of any other', async () => {
  for (const first of RESIDUALS) {
    for (const second of RESIDUALS) {
      const config = mixed(SCHEMES[first].encoder, SCHEMES[second].decoder);
      const profile = omegaOf(await profileOmega(config, VOCABULARY, BATCH, 1));
      const model = Transformer.create(config, VOCABULARY, 1, profile);
      const { loss, gradients } = differentiate(model, BATCH, 0.1);
      assert.ok(loss > 0 && loss < 100, `${first}, ${second}: ${loss}`);
      assert.equal(gradients.size, model.trainable.length);
      for (const stack of ['encoder', 'decoder'] as const) {
        const has = omegaStacks(config).includes(stack);
        for (const site of sitesOf(config, stack)) assert.equal(model.weights.has(omegaName(site)), has);
      }
      setNewOmega(model, { encoder: { layers: 1 }, decoder: { layers: 1 } }, profile);
      model.dispose();
    }
  }
});

test('ω in one stack alone is folded, and the other stays', async () => {
  const config = mixed(SCHEMES.admin.encoder, SCHEMES['pre-ln'].decoder);
  const profile = omegaOf(await profileOmega(config, VOCABULARY, BATCH, 1));
  const model = Transformer.create(config, VOCABULARY, 1, profile);
  const folded = foldOmega(config, valuesOf(model));
  assert.equal(folded.config.residual, 'post-ln-pre-ln');
  const plain = Transformer.fromWeights(folded.config, VOCABULARY, folded.weights);
  const logits = (of: Transformer) =>
    tf.tidy(() => {
      const memory = of.encode(BATCH.source, { training: null });
      return of.decode(BATCH.targetInput, memory, BATCH.source.offsets, { training: null }).dataSync();
    });
  assert.ok(relativeError(logits(plain), logits(model)) < 1e-5);
  plain.dispose();
  model.dispose();
});

test('what has no form elsewhere is refused', () => {
  const { encoder } = SCHEMES.admin;
  for (const scheme of [
    { ...encoder, norm: 'pre' as const },
    { ...encoder, fusedProjections: false },
    { ...encoder, layerInput: true },
  ]) {
    const config = mixed(scheme, scheme);
    const model = Transformer.create(config, VOCABULARY, 1);
    assert.throws(() => foldOmega(config, valuesOf(model)), UserError);
    assert.throws(() => fairseqArgs(config, 'de', 'en'), /cannot build a model of residual new/);
    model.dispose();
  }
});
