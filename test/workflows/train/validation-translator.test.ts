import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, describe, test } from 'node:test';
import { camelizeKeys } from '../../../src/config/camel.js';
import { type Config, configSchema, type DataConfig } from '../../../src/config/schema.js';
import { UNK } from '../../../src/data/dictionary.js';
import { ParallelDataset } from '../../../src/data/parallel-dataset.js';
import { batchBackwards } from '../../../src/data/right-to-left.js';
import { loadCodec, loadModel } from '../../../src/decode/load-model.js';
import { searchWith } from '../../../src/decode/sentence-queue.js';
import type { TextCodec } from '../../../src/decode/text-codec.js';
import { translateLines } from '../../../src/decode/translate-lines.js';
import { writeSafetensors } from '../../../src/formats/safetensors.js';
import { BLEU, CHRF } from '../../../src/metrics/sacrebleu.js';
import { IncrementalDecoder } from '../../../src/model/incremental.js';
import { outputName } from '../../../src/model/parameters.js';
import { Transformer } from '../../../src/model/transformer.js';
import { tf } from '../../../src/ops/tf.js';
import { openTrainingData } from '../../../src/workflows/train/data.js';
import { validationTranslator, validationTrial } from '../../../src/workflows/train/validation-translator.js';
import { makeDataset, trainedVocabulary } from '../../data/small-dataset.js';
import { tinyConfig, useBackend } from '../../model/models.js';
import { availableBackends } from '../../ops/backends.js';

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

/** What `translate` makes of the source text. */
async function translations(
  { decode, model: { maxPositions, rightToLeft } }: Config,
  model: Transformer,
  codec: TextCodec,
) {
  const decoder = new IncrementalDecoder(model, decode.precision);
  const hypotheses: string[] = [];
  async function* lines() {
    yield* VALID.source;
  }
  const options = { ...decode, maxPositions, rightToLeft, chunk: 100 };
  for await (const translation of translateLines(lines(), searchWith(decoder), codec, options)) {
    hypotheses.push(translation.hypotheses[0].text);
  }
  decoder.dispose();
  return hypotheses;
}

describe('validation by translation', () => {
  before(() => useBackend('wasm'));

  test('scores are those of the text that translate gives, against the text as it was written', async () => {
    const { config, data, model } = await prepare();
    const { codec } = loadCodec(data.destdir, data);
    const split = ParallelDataset.open(data.destdir, 'valid', 'aa', 'bb');
    const hypotheses = await translations(config, model, codec);
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

describe('validation of a model that writes from right to left', () => {
  before(() => useBackend('wasm'));

  test('it is trained on turned targets, and its translations and references are as they are read', async () => {
    const { config, data, model } = await prepare();
    const { codec } = loadCodec(data.destdir, data);
    const asked = { ...config, model: { ...config.model, rightToLeft: true } };
    const [forward, opened] = [openTrainingData(config), openTrainingData(asked)];
    const [pairs, turned] = [forward, opened].map(({ firstBatch }) => firstBatch(1000));
    assert.deepEqual(turned, batchBackwards(pairs));
    assert.notDeepEqual(turned, pairs);
    const hypotheses = await translations(asked, model, codec);
    assert.notDeepEqual(hypotheses, await translations(config, model, codec));
    const translate = await validationTranslator({ ...asked, data: { ...data, valid: null } }, opened.valid!);
    const { samples } = await translate(model);
    assert.deepEqual(
      samples.map(({ reference, hypothesis }) => [reference, hypothesis]),
      [0, 1, 2].map((i) => [codec.decode(forward.valid!.pair(i).target), hypotheses[i]]),
    );
    for (const { close } of [forward, opened]) close();
    model.dispose();
  });
});

describe('validation by translation in fewer bits', {
  skip: !availableBackends.includes('native') && 'the native engine is not built',
}, () => {
  before(() => useBackend('native'));

  for (const precision of ['int8', 'bfloat16'] as const) {
    test(`${precision}: samples are what translate makes of the saved weights in it`, async () => {
      const { config, data, model } = await prepare();
      const split = ParallelDataset.open(data.destdir, 'valid', 'aa', 'bb');
      for (const weight of model.weights.values()) weight.assign(tf.mul(weight, 4)); // it says more than one thing
      const checkpoint = path.join(data.destdir, 'checkpoint_1_1');
      fs.mkdirSync(checkpoint);
      const weights = [...model.weights].map(
        ([name, weight]) => [name, { shape: weight.shape, data: weight.dataSync<'float32'>() }] as const,
      );
      writeSafetensors(path.join(checkpoint, 'model.safetensors'), new Map(weights));
      const decode = { ...config.decode, precision };
      const asked = { ...config, decode, train: { ...config.train, evalSamples: VALID.source.length } };
      const location = { runDirectory: data.destdir, checkpoint };
      const { codec, vocabulary } = loadCodec(data.destdir, data);
      const loaded = loadModel(location, asked, vocabulary, undefined, precision);
      const expected = await translations(asked, loaded, codec);
      assert.notDeepEqual(await translations(config, model, codec), expected);
      const tensors = tf.memory().numTensors;
      const { samples } = await (await validationTranslator(asked, split))(model);
      assert.deepEqual(
        samples.map(({ hypothesis }) => hypothesis),
        expected,
      );
      await validationTrial(asked, split)(model);
      assert.equal(tf.memory().numTensors, tensors);
      split.close();
      model.dispose();
      loaded.dispose();
    });
  }

  test('of weights that are not finite, the search says so in every precision', async () => {
    const { config, data, model } = await prepare();
    const split = ParallelDataset.open(data.destdir, 'valid', 'aa', 'bb');
    for (const weight of model.weights.values()) weight.assign(tf.fill(weight.shape, Number.NaN));
    const decode = { ...config.decode, precision: 'int8' as const };
    for (const asked of [config, { ...config, decode }]) {
      const translate = await validationTranslator(asked, split);
      await assert.rejects(translate(model), /training has probably diverged/);
    }
    split.close();
    model.dispose();
  });
});
