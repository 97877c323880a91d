import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { camelizeKeys } from '../../../src/config/camel.js';
import { type Config, configSchema, type DataConfig } from '../../../src/config/schema.js';
import { UNK } from '../../../src/data/dictionary.js';
import { ParallelDataset } from '../../../src/data/parallel-dataset.js';
import { loadCodec } from '../../../src/decode/load-model.js';
import { translateLines } from '../../../src/decode/translate-lines.js';
import { BLEU, CHRF } from '../../../src/metrics/sacrebleu.js';
import { IncrementalDecoder } from '../../../src/model/incremental.js';
import { outputName } from '../../../src/model/parameters.js';
import { Transformer } from '../../../src/model/transformer.js';
import { tf } from '../../../src/ops/tf.js';
import { validationTranslator } from '../../../src/workflows/train/validation-translator.js';
import { makeDataset, trainedVocabulary } from '../../data/small-dataset.js';
import { tinyConfig, useBackend } from '../../model/models.js';

const CLEAN = { nfc: true, whitespace: true };
const TRAIN = ['über größe', 'größe über', 'a b c', 'c b a'].flatMap((line) => [line, line]);
/** Blank lines, one that is not in the form it is cleaned to, one beyond the positions; rare characters in the references. */
const VALID = {
  source: ['a b', '\u3000', 'gro\u0308\u00dfe \u00a0 über', 'a b c '.repeat(12), '', 'c 雪'],
  target: ['a 雪 b', 'b', 'gro\u0308\u00dfe \u00a0 u\u0308ber', 'c b a', '', '雪 雪 雪 雪 雪'],
};

/** What is needed to validate; the model's translations are of all letters. */
async function prepare(): Promise<{ config: Config; data: DataConfig; model: Transformer }> {
  const vocabulary = trainedVocabulary({ vocabSize: 24, normalization: 'identity' });
  const data = await makeDataset(TRAIN, VALID, { vocabulary, clean: CLEAN });
  const whole = camelizeKeys(configSchema.parse({}));
  const model = tinyConfig({ shareEmbeddings: 'none' });
  const config = {
    ...whole,
    data,
    model,
    train: { ...whole.train, evalBleu: true, evalSamples: 3, saveDir: data.destdir },
  };
  return { config, data, model: Transformer.create(model, loadCodec(data.destdir, data).vocabulary, 3) };
}

/** Makes the model say one thing, whatever it reads. */
function insistOn(model: Transformer, id: number): void {
  for (const [name, weight] of model.weights) {
    const value = name === outputName(model.config) ? 0 : 1;
    if (name.startsWith('decoder.') && /final_layer_norm|embed_out/.test(name)) {
      weight.assign(tf.fill(weight.shape, name.endsWith('.weight') ? 0 : value));
    }
  }
  const output = model.outputWeight() as unknown as tf.Variable;
  const rows = Array.from({ length: output.shape[0]! }, (_, row) =>
    new Array(output.shape[1]!).fill(row === id ? 1 : 0),
  );
  output.assign(tf.tensor2d(rows));
}

describe('validation by translation', () => {
  before(() => useBackend('wasm'));

  test('scores are those of the text that translate gives, against the text as it was written', async () => {
    const { config, data, model } = await prepare();
    const { codec } = loadCodec(data.destdir, data);
    const split = ParallelDataset.open(data.destdir, 'valid', 'aa', 'bb');
    const decoder = new IncrementalDecoder(model);
    const hypotheses: string[] = [];
    async function* lines() {
      yield* VALID.source;
    }
    const options = { ...config.decode, maxPositions: config.model.maxPositions, chunk: 100 };
    for await (const translation of translateLines(lines(), decoder, codec, options)) {
      hypotheses.push(translation.hypotheses[0].text);
    }
    decoder.dispose();
    const found = await (await validationTranslator(config, split))(model);
    assert.deepEqual(found, {
      bleu: new BLEU({ targetLang: 'bb', force: true }).corpusScore(hypotheses, [VALID.target]).score,
      chrf: new CHRF().corpusScore(hypotheses, [VALID.target]).score,
      samples: [0, 1, 2].map((i) => ({
        source: VALID.source[i],
        reference: VALID.target[i],
        hypothesis: hypotheses[i],
      })),
    });
    assert.equal(hypotheses[1], '');
    assert.ok(found.chrf > 0);
    const other = { ...config, score: { ...config.score, tokenize: 'char' } };
    const byLetters = await (await validationTranslator(other, split))(model);
    assert.notEqual(byLetters.bleu, found.bleu);
    split.close();
    model.dispose();
  });

  test('without the text, the references are those of the dataset, and their <unk> counts for nothing', async () => {
    const { config, data, model } = await prepare();
    insistOn(model, UNK);
    const { codec } = loadCodec(data.destdir, data);
    const split = ParallelDataset.open(data.destdir, 'valid', 'aa', 'bb');
    const translate = await validationTranslator({ ...config, data: { ...data, valid: null } }, split);
    const { bleu, chrf, samples } = await translate(model);
    assert.match(samples[0].hypothesis, /^( ⁇ )+$/);
    assert.equal(samples[0].reference, codec.decode(split.pair(0).target));
    assert.match(samples[0].reference, /^a {2}⁇ {2}b$/);
    assert.equal(samples[1].hypothesis, '');
    assert.deepEqual([bleu, chrf], [0, 0]);
    split.close();
    model.dispose();
  });
});
