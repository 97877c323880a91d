import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { makeModels } from '../../src/data/make-models.js';
import { findParallelText } from '../../src/data/parallel-text.js';
import type { PreprocessOptions, StoredPieceModel } from '../../src/data/preprocess-options.js';
import { partsOf } from '../../src/data/text-parts.js';
import { TextReader } from '../../src/data/text-reader.js';
import { scratchFolder, writeFiles } from './scratch.js';

const split = (line: string): string[] => line.split(' ').filter((word) => word !== '');
const WORDS = [...'abcdef'];

/** A tokenizer whose pieces are words, of which text may be given some. */
function modelOf(isKept: (word: string, id: number) => boolean): StoredPieceModel {
  const symbols = ['', ...WORDS].map((word, id) => (id > 0 && isKept(word, id) ? word : undefined));
  return {
    symbols,
    appendIds: (line, list) => {
      for (const word of split(line.toString())) list.push(Math.max(0, symbols.indexOf(word)));
    },
    encode: split,
    serialize: () => Buffer.from(symbols.join()),
    restricted: modelOf,
  };
}

const clean = { nfc: false, whitespace: false };
const filter = { minLength: 1, maxLength: 2, maxRatio: null, deduplicate: true };

test('what each side has often enough is counted before the filters, in all corpora, and ends of lines are no pieces', async () => {
  const folder = writeFiles(scratchFolder(), {
    'one.en': 'a a b\nc\nc\nc\n',
    'one.it': 'd\nd\nd\nb\n',
    'two.en': 'a\n\ne\n',
    'two.it': 'f e\nf\nf\n',
  });
  const texts = {
    train: ['one', 'two'].map((name) => ({
      ...{ name, tag: name === 'two' ? 'b' : null, filter },
      texts: [findParallelText(path.join(folder, name), 'en', 'it', 'data.train')],
    })),
  };
  const parts = partsOf(texts, filter);
  const [sourceLang, targetLang] = ['en', 'it'] as const;
  const made = async (vocabularyThreshold: number, more: Partial<PreprocessOptions> = {}) => {
    const model = modelOf(() => true);
    const options = {
      ...{ sourceLang, targetLang, texts, clean, filter, vocabularyThreshold },
      vocabulary: { kind: 'given', files: [], models: [model, model] },
      ...more,
    } as unknown as PreprocessOptions;
    const models = await makeModels(options, parts, new TextReader([sourceLang, targetLang]));
    return models.map(({ symbols }) => symbols.map((symbol) => symbol ?? '').join(''));
  };
  assert.deepEqual(await made(0), ['abcdef', 'abcdef']);
  assert.deepEqual(await made(1), ['abce', 'bdef']);
  // b is a tag; its id is that of </s>.
  assert.deepEqual(await made(3), ['abc', 'bdf']);
  assert.deepEqual(await made(4), ['b', 'b']);
  const untagged = { texts: { train: texts.train.map((corpus) => ({ ...corpus, tag: null })) } };
  parts.splice(0, 2, ...partsOf(untagged.texts, filter));
  assert.deepEqual(await made(3, untagged), ['ac', 'df']);
});
