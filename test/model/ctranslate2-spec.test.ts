import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { packageRoot } from '../../src/common/files.js';
import { readCtranslate2 } from '../../src/formats/ctranslate2.js';
import { readSafetensors } from '../../src/formats/safetensors.js';
import { ctranslate2Config, ctranslate2Model } from '../../src/model/ctranslate2-spec.js';
import { sinusoids } from '../../src/model/embeddings.js';
import { Transformer } from '../../src/model/transformer.js';
import { RESIDUALS, tinyConfig, useBackend, VOCABULARY } from './models.js';

const FIXTURES = path.join(packageRoot(), 'test/formats/fixtures/ctranslate2');

test("names, shapes, types and values are those of CTranslate2's own specification", () => {
  const config = tinyConfig({
    residual: 'post-ln',
    encoder: { layers: 1 },
    decoder: { layers: 1 },
    positions: 'learned',
    shareEmbeddings: 'none',
    maxPositions: 6,
  });
  const { tensors } = readSafetensors(path.join(FIXTURES, 'model.safetensors'));
  const expected = readCtranslate2(path.join(FIXTURES, 'model.bin'));
  const found = ctranslate2Model(config, tensors);
  const sorted = ({ variables }: typeof found) => [...variables].sort(([a], [b]) => (a < b ? -1 : 1));
  assert.deepEqual(
    sorted(found).map(([name, { shape, data }]) => [name, shape, data]),
    sorted(expected).map(([name, { shape, data }]) => [name, shape, data]),
  );
  assert.deepEqual([found.specification, found.revision], [expected.specification, expected.revision]);
});

async function weightsOf(config: Parameters<typeof ctranslate2Model>[0]) {
  await useBackend('cpu');
  const omega = { encoder: [1, 1, 1, 1], decoder: [1, 1, 1, 1, 1, 1] };
  const model = Transformer.create(config, VOCABULARY, 1, omega);
  const weights = new Map(
    [...model.weights].map(([name, { shape }]) => [
      name,
      { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) },
    ]),
  );
  model.dispose();
  return weights;
}

test('Pre-LN has its last layer normalisations; tied tables and sinusoids are shared', async () => {
  const config = tinyConfig({ residual: 'pre-ln', activationFn: 'gelu' });
  const { variables } = ctranslate2Model(config, await weightsOf(config));
  const first = (name: string) => variables.get(name)!.data[0];
  assert.deepEqual([first('encoder/pre_norm'), first('decoder/pre_norm')], [1, 1]);
  assert.equal(first('decoder/activation'), 3);
  assert.equal(first('encoder/scale_embeddings'), Math.fround(Math.sqrt(8)));
  for (const name of ['encoder/layer_norm/gamma', 'decoder/layer_norm/beta']) assert.ok(variables.has(name));
  const table = variables.get('encoder/embeddings_0/weight')!.data;
  for (const name of ['decoder/embeddings/weight', 'decoder/projection/weight']) {
    assert.equal(variables.get(name)!.data, table);
  }
  const { shape, data } = variables.get('encoder/position_encodings/encodings')!;
  assert.deepEqual(shape, [config.maxPositions, 8]);
  assert.deepEqual(data.subarray(8, 16), sinusoids(Int32Array.of(1), config));
});

test('schemes that CTranslate2 does not compute are refused', async () => {
  for (const residual of RESIDUALS) {
    const config = tinyConfig({ residual });
    const weights = await weightsOf(config);
    const convert = () => ctranslate2Model(config, weights);
    if (['post-ln', 'pre-ln', 'post-ln-pre-ln', 'look-linear'].includes(residual)) convert();
    else assert.throws(convert, UserError);
  }
});

test('config.json: what CTranslate2 cannot see in the weights', () => {
  assert.deepEqual(JSON.parse(ctranslate2Config(tinyConfig())), {
    ...{ bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', decoder_start_token: '</s>' },
    ...{
      add_source_bos: false,
      add_source_eos: true,
      multi_query_attention: false,
      layer_norm_epsilon: null,
    },
  });
});
