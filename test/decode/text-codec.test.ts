import assert from 'node:assert/strict';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import type { DataConfig } from '../../src/config/schema.js';
import { Dictionary, EOS, UNK } from '../../src/data/dictionary.js';
import { ParallelDataset } from '../../src/data/parallel-dataset.js';
import type { VocabularySource } from '../../src/data/preprocess-options.js';
import { loadCodec } from '../../src/decode/load-model.js';
import { TextCodec, whiteSpaceSegmenter } from '../../src/decode/text-codec.js';
import { BLEU, CHRF } from '../../src/metrics/sacrebleu.js';
import { loadPieceModel } from '../../src/workflows/preprocess/piece-model.js';
import { refusal, scratchFolder, writeFiles } from '../data/scratch.js';
import { makeDataset, trainedVocabulary } from '../data/small-dataset.js';

/** What is easily taken for something else when it is read than when it is learnt from. */
const SYMBOLS = '</s> <s> <pad> <unk> <0x41> madeupword0001 \u2581 ⁇ \ufffd ☃ ☃☃ &lt;/s&gt; @@ .'.split(' ');
const LETTERS = 'кот дом ко я \u00e9 e\u0301 ﬁ ① \uac00 \u1100\u1161 \u{1f600}'.split(' ');
const UNSEEN = [...'\ufe0f\u200b\ufeff\u00ad\x01\t\x0b\x1c\x85\u00a0\u3000\u2028\u2029'];
const PARTS = [...SYMBOLS, ...LETTERS, ...UNSEEN, ' ', ' ', ' ', '  ', ' ⁇ '];

/** Lines of up to six parts; every one of them stands alone in one, too. */
const LINES = [
  ...PARTS,
  ...Array.from({ length: 200 }, (_, i) =>
    Array.from(
      { length: 1 + (i % 6) },
      (_, j) => PARTS[(i * 7 + j * (11 + (i % 5)) + j * j) % PARTS.length],
    ).join(''),
  ),
];
const TRAINING = ['кот дом', 'дом кот я', 'ко ко дом \u00e9 e\u0301'].flatMap((line) => [line, line]);
const CLEANINGS = [false, true].map((on) => ({ nfc: on, whitespace: on }));

/** Makes a dataset and compares what its codec makes of each line with what the dataset has of it. */
async function checkLines(vocabulary: VocabularySource, clean: DataConfig['clean']): Promise<DataConfig> {
  const data = await makeDataset(TRAINING, LINES, { vocabulary, clean });
  const { codec } = loadCodec(data.destdir, data);
  const split = ParallelDataset.open(data.destdir, 'valid', 'aa', 'bb');
  try {
    LINES.forEach((line, i) => {
      const learnt = [...split.pair(i).source];
      const read = [...codec.encode(line)];
      assert.deepEqual(read.length === 0 ? [EOS] : read, learnt, JSON.stringify(line));
      assert.ok(Math.min(...learnt.slice(0, -1)) >= UNK, JSON.stringify(line));
    });
  } finally {
    split.close();
  }
  return data;
}

describe('a line that is read becomes the ids that the same line has in a dataset', () => {
  for (const normalization of ['nmt_nfkc', 'identity'] as const) {
    for (const byteFallback of [false, true]) {
      test(`${normalization}${byteFallback ? ', bytes' : ''}, however it is cleaned`, async () => {
        const vocabSize = byteFallback ? 280 : 16;
        for (const clean of CLEANINGS) {
          await checkLines(trainedVocabulary({ vocabSize, normalization, byteFallback }), clean);
        }
      });
    }
  }

  test('with a dictionary of others, which knows text that the tokenizer does not', async () => {
    const vocabulary = trainedVocabulary({ vocabSize: 16, normalization: 'identity' });
    const { destdir } = await checkLines(vocabulary, CLEANINGS[0]);
    const file = path.join(destdir, 'tokenizer.model');
    const symbols = '▁дом 9\n☃ 3\n▁кот 2\n. 1\nmadeupword0001 0\n';
    const folder = writeFiles(scratchFolder(), { dict: symbols });
    const [model, dictionary] = [loadPieceModel(file), Dictionary.load(path.join(folder, 'dict'))];
    const given: VocabularySource = {
      kind: 'given',
      files: [{ role: 'tokenizer', path: file }],
      models: [model, model],
      dictionaries: [dictionary, dictionary],
    };
    const data = await checkLines(given, CLEANINGS[1]);
    const { codec } = loadCodec(data.destdir, data);
    assert.ok(codec.sourceTokens(codec.encode('дом ☃')).includes('☃'));
  });
});

describe('text that other programs have segmented', () => {
  const dictionary = Dictionary.fromCounts([
    ['a', 2],
    ['b', 1],
  ]);
  const side = { segmenter: whiteSpaceSegmenter, dictionary };

  test('special symbols and filling in it are unknown', () => {
    const codec = new TextCodec(side, side, { nfc: false, whitespace: false });
    const line = 'a </s> <s> <pad> <unk> madeupword0000 b';
    assert.deepEqual([...codec.encode(line)], [4, UNK, UNK, UNK, UNK, UNK, 5, EOS]);
  });

  test('is parted where fairseq, in Python, parts it', () => {
    const codec = new TextCodec(side, side, { nfc: false, whitespace: false });
    assert.deepEqual([...codec.encode('a\x85b\x1ca\u3000b')], [4, 5, 4, 5, EOS]);
    assert.deepEqual([...codec.encode('a\ufeffb')], [UNK, EOS]);
  });
});

test('an unknown of a reference is matched by nothing, the <unk> of a translation least of all', async () => {
  const data = await makeDataset(TRAINING, LINES, { vocabulary: trainedVocabulary({ vocabSize: 16 }) });
  const { codec } = loadCodec(data.destdir, data);
  const side = { segmenter: whiteSpaceSegmenter, dictionary: Dictionary.fromCounts([]) };
  const ids = Int32Array.from([UNK, UNK, UNK, UNK, UNK, EOS]);
  for (const some of [codec, new TextCodec(side, side, data.clean)]) {
    const [translation, reference] = [some.decode(ids), some.decodeReference(ids)];
    const bleu = new BLEU({ force: true, smoothMethod: 'none' });
    assert.equal(bleu.corpusScore([translation], [[reference]]).score, 0);
    assert.equal(new CHRF().corpusScore([translation], [[reference]]).score, 0);
  }
  const known = codec.encode('кот дом');
  assert.equal(codec.decodeReference(known), 'кот дом');
  // It spoils the word that it stands in, and no other.
  assert.match(codec.decodeReference(Int32Array.from([...known.slice(0, -1), UNK, EOS])), /^кот дом[^ ]$/);
});

test('a tag stands before the pieces of a line, as in a dataset; blank lines have none', async () => {
  const tags = { userDefinedSymbols: ['<2aa>', '<2bb>'] };
  const vocabulary = trainedVocabulary({ vocabSize: 18, ...tags });
  const data = await makeDataset(TRAINING, LINES, { vocabulary, validTag: '<2bb>' });
  const { codec } = loadCodec(data.destdir, { ...data, validTag: null }, '<2bb>');
  const byDefault = loadCodec(data.destdir, data).codec;
  const split = ParallelDataset.open(data.destdir, 'valid', 'aa', 'bb');
  LINES.forEach((line, i) => {
    const read = [...codec.encode(line)];
    assert.deepEqual(read.length === 0 ? [EOS] : read, [...split.pair(i).source], JSON.stringify(line));
    assert.deepEqual(read, [...byDefault.encode(line)]);
  });
  split.close();
  assert.deepEqual(codec.sourceTokens(codec.encode('кот')).slice(0, 2), ['<2bb>', '▁ко']);
  assert.equal(codec.sourceTokens(codec.encode('кот', '<2aa>'))[0], '<2aa>');
  assert.deepEqual(codec.tags.sort(), ['<2aa>', '<2bb>']);
  const refused =
    /tag that is a piece of the source dictionary, found '<2cc>'.*It has <2[ab]{2}>, <2[ab]{2}>\./s;
  assert.throws(() => codec.encode('', '<2cc>'), refusal(refused));
  assert.throws(() => loadCodec(data.destdir, data, '<2cc>'), refusal(refused));
  for (const tag of ['</s>', '<unk>'])
    assert.throws(() => codec.encode('', tag), refusal(/found '<\/?[a-z]+>'/));
});
