import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { ModelConfig } from '../../src/config/schema.js';
import { EOS } from '../../src/data/dictionary.js';
import { foldOmega } from '../../src/model/fold.js';
import { marianMtModel, marianMtOrder } from '../../src/model/marian-mt.js';
import type { VocabularySizes } from '../../src/model/transformer.js';
import { type MarianMtConfig, marianMtLogProbs } from './marian-mt-reference.js';
import { RESIDUALS, tinyConfig, useBackend, VOCABULARY } from './models.js';
import { farthest, randomModel, stepwiseLogProbs } from './random-model.js';

before(() => useBackend('cpu'));

const SOURCE = [5, 9, 7, 12, EOS];
const TARGET = [7, 4, 12, 6];

const CASES: [name: string, config: Partial<ModelConfig>, vocabulary?: VocabularySizes][] = [
  ['Post-LN, all shared', { residual: 'post-ln' }],
  ['look-linear, the decoder shared', { residual: 'look-linear', shareEmbeddings: 'decoder' }],
  ['Admin, folded', { residual: 'admin' }],
  ['learned positions, no scale', { residual: 'post-ln', positions: 'learned', scaleEmbeddings: false }],
  ['more of the target', { residual: 'post-ln', shareEmbeddings: 'decoder' }, { source: 16, target: 24 }],
  ['more of the source', { residual: 'post-ln', shareEmbeddings: 'none' }, { source: 24, target: 16 }],
  [
    'as Marian',
    {
      residual: 'post-ln',
      outputBias: true,
      decoderStart: 'pad',
      positions: 'learned',
      activationFn: 'swish',
    },
  ],
];

for (const [name, changes, vocabulary = VOCABULARY] of CASES) {
  test(`MarianMTModel by its formulas has our log-probabilities: ${name}`, async () => {
    const given = tinyConfig(changes);
    const { model, weights: random } = randomModel(given, vocabulary);
    const [expected] = await stepwiseLogProbs(model, [SOURCE], [TARGET]);
    model.dispose();
    const plain = given.residual === 'admin' ? foldOmega(given, random) : { config: given, weights: random };
    const { config, weights } = marianMtModel(plain.config, plain.weights);
    const size = Math.max(vocabulary.source, vocabulary.target);
    const [source, target] = [vocabulary.source, vocabulary.target].map((own) => marianMtOrder(own, size));
    assert.deepEqual([source.length, target.length, config.vocab_size], [size, size, size]);
    assert.deepEqual([target.indexOf(EOS), config.eos_token_id], [0, 0]);
    assert.deepEqual([config.pad_token_id, config.decoder_start_token_id], [size - 1, size - 1]);
    const found = marianMtLogProbs(
      config as unknown as MarianMtConfig,
      weights,
      SOURCE.map((id) => source.indexOf(id)),
      [...TARGET, EOS].map((id) => target.indexOf(id)),
    );
    const ours = found.map((row) =>
      Array.from({ length: vocabulary.target }, (_, id) => row[target.indexOf(id)]),
    );
    assert.ok(farthest([ours], [expected]) < 1e-5, `they differ by ${farthest([ours], [expected])}`);
    assert.ok(found.every((row) => target.every((own, id) => own !== -1 || row[id] < -1e6)));
  });
}

test('schemes that are no Post-LN are refused by name', () => {
  const others = RESIDUALS.filter((name) => name !== 'post-ln' && name !== 'look-linear');
  for (const residual of others) {
    const { model, weights } = randomModel(tinyConfig({ residual }), VOCABULARY);
    model.dispose();
    assert.throws(
      () => marianMtModel(tinyConfig({ residual }), weights),
      new RegExp(`computes Post-LN, found model.residual ${residual}`),
    );
  }
});
