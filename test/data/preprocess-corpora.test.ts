import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { Dictionary } from '../../src/data/dictionary.js';
import { type Manifest, readManifest } from '../../src/data/manifest.js';
import { ParallelDataset } from '../../src/data/parallel-dataset.js';
import { preprocessCorpus } from '../../src/data/preprocess.js';
import {
  countHere,
  type PreprocessOptions,
  type StoredPieceModel,
} from '../../src/data/preprocess-options.js';
import type { CorpusText } from '../../src/data/text-parts.js';
import { scratchFolder, writeFiles } from './scratch.js';

const filter = { minLength: 1, maxLength: 175, maxRatio: null, deduplicate: false };
const split = (line: string): string[] => line.split(' ').filter((word) => word !== '');
const WORDS = ['a', 'b', 'c', '<2it>'];

/** A tokenizer whose pieces are words. */
const model: StoredPieceModel = {
  symbols: [undefined, ...WORDS],
  appendIds: (line, list) => {
    for (const word of split(line.toString())) list.push(WORDS.indexOf(word) + 1);
  },
  encode: split,
  serialize: () => Buffer.from('words'),
  restricted() {
    return this;
  },
};

async function preprocess(
  folder: string,
  train: PreprocessOptions['texts']['train'],
  more: Partial<PreprocessOptions['texts']> = {},
): Promise<{ destdir: string; manifest: Manifest }> {
  const destdir = path.join(folder, 'data-bin');
  await preprocessCorpus({
    ...{ destdir, sourceLang: 'en', targetLang: 'it', texts: { train, ...more } },
    vocabulary: { kind: 'given', files: [], models: [model, model] },
    ...{
      joint: true,
      filter,
      clean: { nfc: false, whitespace: false },
      dataHash: 'hash',
      vocabularyHash: '',
      seed: 1,
    },
  });
  return { destdir, manifest: readManifest(destdir) };
}

const corpus = (
  folder: string,
  name: string,
  files: readonly string[],
  more: Partial<CorpusText> = {},
): CorpusText => ({
  ...{ name, tag: null, filter },
  texts: files.map((file) => ({ kind: 'tsv', file: path.join(folder, file) })),
  ...more,
});

/** The sentences of a split as text. */
function sentences(destdir: string, name: string): string[] {
  const dictionaries = ['en', 'it'].map((language) =>
    Dictionary.load(path.join(destdir, `dict.${language}.txt`)),
  );
  const dataset = ParallelDataset.open(destdir, name, 'en', 'it');
  const text = (ids: Int32Array, side: number): string =>
    Array.from(ids.subarray(0, -1), (id) => dictionaries[side].symbolOf(id)).join(' ');
  const found = Array.from({ length: dataset.size }, (_, i) => {
    const { source, target } = dataset.pair(i);
    return `${text(source, 0)} = ${text(target, 1)}`;
  });
  dataset.close();
  return found;
}

test('each corpus becomes a split of its own, with its own filters, its tag and its counts', async () => {
  const folder = scratchFolder();
  writeFiles(folder, { '1.tsv': 'a b\tc\na\tb\n', '2.tsv': 'b\tb\nb\tb\nc c c\tc\n', '3.tsv': 'c\ta\n' });
  const strict = { ...filter, maxLength: 2, deduplicate: true };
  const { destdir, manifest } = await preprocess(folder, [
    corpus(folder, 'one', ['1.tsv']),
    corpus(folder, 'two', ['2.tsv', '3.tsv'], { filter: strict, tag: '<2it>' }),
  ]);
  assert.deepEqual(sentences(destdir, 'train'), ['a b = c', 'a = b']);
  assert.deepEqual(sentences(destdir, 'train1'), ['<2it> b = b', '<2it> c = a']);
  assert.deepEqual(
    manifest.corpora?.map(({ name, split: shard, tag }) => [name, shard, tag]),
    [
      ['one', 'train', null],
      ['two', 'train1', '<2it>'],
    ],
  );
  const { pairs, kept, dropped } = manifest.splits.train1;
  assert.deepEqual([pairs, kept, dropped['max-length'], dropped.duplicate], [4, 2, 1, 1]);
  assert.deepEqual(
    manifest.inputs.map(({ role, lines }) => [role, lines]),
    [
      ['train/one', 2],
      ['train/two', 3],
      ['train/two.2', 1],
    ],
  );
});

test('one corpus gives the files that one text gives', async () => {
  const [one, other] = [scratchFolder(), scratchFolder()];
  for (const folder of [one, other]) writeFiles(folder, { '1.tsv': 'a b\tc\nc\tb\n' });
  const list = await preprocess(one, [corpus(one, 'one', ['1.tsv'])]);
  const text = await preprocess(other, { kind: 'tsv', file: path.join(other, '1.tsv') });
  assert.deepEqual(list.manifest.files, text.manifest.files);
  for (const name of list.manifest.files.filter((file) => file !== 'manifest.json')) {
    assert.deepEqual(
      readFileSync(path.join(list.destdir, name)),
      readFileSync(path.join(text.destdir, name)),
      name,
    );
  }
  assert.equal(text.manifest.corpora, undefined);
});

test('validation text has a tag of its own; a blank line stays blank', async () => {
  const folder = scratchFolder();
  writeFiles(folder, { '1.tsv': 'a\tb\n', 'valid.tsv': 'b a\tc\n\tc\n' });
  const valid = { kind: 'tsv', file: path.join(folder, 'valid.tsv') } as const;
  const more = { valid, validTag: '<2it>' };
  const { destdir } = await preprocess(folder, [corpus(folder, 'one', ['1.tsv'])], more);
  assert.deepEqual(sentences(destdir, 'valid'), ['<2it> b a = c', ' = c']);
  await assert.rejects(
    preprocess(folder, [corpus(folder, 'one', ['1.tsv'])], { valid, validTag: '<2fr>' }),
    /data\.valid-tag must be one piece .* found no piece '<2fr>'/,
  );
});

test('lines that a tokenizer is trained on are drawn of all corpora as of one text', async () => {
  const pair = (i: number) => `s${i}\tt${i}\n`;
  const lines = Array.from({ length: 90 }, (_, i) => pair(i));
  const cuts = [lines.slice(0, 20), lines.slice(20, 50), lines.slice(50)];
  const drawnFrom = async (files: Record<string, string>, lists: readonly string[][], joint: boolean) => {
    const folder = writeFiles(scratchFolder(), files);
    const seen: string[] = [];
    const trainer = { add: (line: string) => void seen.push(line), train: () => model };
    await preprocessCorpus({
      ...{ destdir: path.join(folder, 'data-bin'), sourceLang: 'en', targetLang: 'it', joint, filter },
      texts: {
        train: lists.map((names, i) =>
          corpus(folder, `c${i}`, names, { filter: { ...filter, minLength: 0 } }),
        ),
      },
      vocabulary: {
        kind: 'trained',
        start: (setup) => countHere(() => ({ ...trainer }), setup),
        sentences: 30,
      },
      ...{ clean: { nfc: false, whitespace: false }, dataHash: '', vocabularyHash: '', seed: 1 },
    });
    return seen.sort(); // a block gives its sources first
  };
  for (const joint of [true, false]) {
    const expected = await drawnFrom({ 'all.tsv': lines.join('') }, [['all.tsv']], joint);
    assert.equal(expected.length, joint ? 30 : 60);
    const [a, b, c] = cuts.map((cut) => cut.join(''));
    const files = { 'a.tsv': a, 'b.tsv': b, 'c.tsv': c };
    assert.deepEqual(await drawnFrom(files, [['a.tsv', 'b.tsv'], ['c.tsv']], joint), expected);
  }
});

test('a tag that is no piece is refused, and nothing is written', async () => {
  const folder = scratchFolder();
  writeFiles(folder, { '1.tsv': 'a\tb\n' });
  await assert.rejects(
    preprocess(folder, [corpus(folder, 'one', ['1.tsv'], { tag: '<2fr>' })]),
    /the tag of the corpus 'one' must be one piece .* found no piece '<2fr>'/,
  );
  assert.equal(existsSync(path.join(folder, 'data-bin')), false);
});
