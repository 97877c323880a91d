import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { sha256 } from '../../src/common/files.js';
import { Dictionary } from '../../src/data/dictionary.js';
import { readManifest } from '../../src/data/manifest.js';
import { preprocessCorpus } from '../../src/data/preprocess.js';
import {
  encodeHere,
  type PreprocessOptions,
  type StoredPieceModel,
} from '../../src/data/preprocess-options.js';
import type { CorpusText } from '../../src/data/text-parts.js';
import { scratchFolder, writeFiles } from './scratch.js';

const split = (line: string): string[] => line.split(' ').filter((word) => word !== '');
const WORDS = [...'abcdefgh', '<2it>'];

/** A tokenizer whose pieces are words; others are unknown. */
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
const counted: PreprocessOptions['vocabulary'] = { kind: 'given', files: [], models: [model, model] };

const filter = { minLength: 1, maxLength: 175, maxRatio: null, deduplicate: false };
/** A folder with three corpora and validation text. Their counts bring pieces into other orders. */
function corpora(): string {
  return writeFiles(scratchFolder(), {
    'one.tsv': 'a a b\tc\na x\tb\n\td\na a b\tc\n',
    'two.tsv': `${'h h g\tf e\n'.repeat(5000)}b\tb\n`,
    'three.tsv': 'c d\te\n',
    'valid.tsv': 'a h\tx c\n\tb\n',
  });
}

const corpus = (folder: string, name: string, more: Partial<CorpusText> = {}): CorpusText => ({
  ...{ name, tag: null, filter },
  texts: [{ kind: 'tsv', file: path.join(folder, `${name}.tsv`) }],
  ...more,
});

/** Makes `data-bin` of a folder. @returns the files whose text was encoded, and those of the dataset with their sums */
async function make(folder: string, train: readonly CorpusText[], more: Partial<PreprocessOptions> = {}) {
  const encoded: string[] = [];
  const destdir = path.join(folder, 'data-bin');
  await preprocessCorpus({
    ...{ destdir, sourceLang: 'en', targetLang: 'it', vocabulary: counted, joint: true, filter },
    texts: { train, valid: { kind: 'tsv', file: path.join(folder, 'valid.tsv') } },
    ...{ clean: { nfc: false, whitespace: false }, dataHash: '', vocabularyHash: '', seed: 1, reuse: true },
    startEncoder: (setup) => {
      encoded.push(...setup.files.map((file) => path.basename(file, '.tsv')));
      return encodeHere(setup);
    },
    ...more,
  });
  return { encoded, sums: sumsOf(destdir), splits: readManifest(destdir).splits };
}

function sumsOf(destdir: string): Record<string, string> {
  const names = readdirSync(destdir).filter((name) => !['manifest.json', 'verified.json'].includes(name));
  return Object.fromEntries(names.map((name) => [name, sha256(readFileSync(path.join(destdir, name)))]));
}

/** What encoding all of it gives. */
const fromScratch = (folder: string, train: readonly CorpusText[], more: Partial<PreprocessOptions> = {}) =>
  make(folder, train, { ...more, destdir: path.join(folder, 'scratch'), reuse: false }).then(() => {
    const destdir = path.join(folder, 'scratch');
    return { sums: sumsOf(destdir), splits: readManifest(destdir).splits };
  });

/** Makes a dataset of a list after one of another list. @returns what was encoded then, where all is as from scratch */
async function after(
  before: (folder: string) => CorpusText[],
  now: (folder: string) => CorpusText[],
  {
    between = () => {},
    more = {},
  }: { between?: (folder: string) => void; more?: Partial<PreprocessOptions> } = {},
): Promise<string> {
  const folder = corpora();
  await make(folder, before(folder));
  between(folder);
  const { encoded, sums, splits } = await make(folder, now(folder), more);
  assert.deepEqual({ sums, splits }, await fromScratch(folder, now(folder), more));
  return encoded.join(' ');
}

const named =
  (...names: string[]) =>
  (folder: string): CorpusText[] =>
    names.map((name) => corpus(folder, name));

describe('what is in a dataset already is not encoded again, and the files are those of encoding all', () => {
  test('a corpus more, at the end or before; a corpus less; other names', async () => {
    assert.equal(await after(named('one'), named('one', 'two')), 'two');
    assert.equal(await after(named('one', 'three'), named('two', 'three', 'one')), 'two');
    assert.equal(await after(named('one', 'two'), named('two')), '');
    const renamed = (folder: string) => [corpus(folder, 'two', { name: 'other' }), corpus(folder, 'three')];
    assert.equal(await after(named('one', 'two'), renamed), 'three');
  });

  test('tags, and pairs that were dropped', async () => {
    const strict = { ...filter, maxLength: 2, deduplicate: true };
    const list = (folder: string) => [
      corpus(folder, 'two', { tag: '<2it>', filter: { ...filter, deduplicate: true } }),
    ];
    const more = (folder: string) => [corpus(folder, 'one', { filter: strict }), ...list(folder)];
    assert.equal(await after(list, more), 'one');
  });

  test('given dictionaries: the same ones alone', async () => {
    const folder = corpora();
    const { sums } = await make(folder, named('one')(folder));
    const file = path.join(folder, 'data-bin', 'dict.en.txt');
    const given = (dictionary: Dictionary): Partial<PreprocessOptions> => ({
      vocabulary: { ...counted, dictionaries: [dictionary, dictionary] },
    });
    const kept = given(Dictionary.load(file));
    const list = named('one', 'three')(folder);
    const appended = await make(folder, list, kept);
    assert.deepEqual(appended.encoded, ['three']);
    assert.equal(appended.sums['train.en-it.en.bin'], sums['train.en-it.en.bin']);
    assert.deepEqual({ sums: appended.sums, splits: appended.splits }, await fromScratch(folder, list, kept));
    writeFiles(folder, { other: 'x 4\na 3\nc 1\n' });
    const other = given(Dictionary.load(path.join(folder, 'other')));
    assert.equal((await make(folder, list, other)).encoded.length, 3);
    assert.equal((await make(folder, list)).encoded.length, 3, 'a given dictionary may have lacked pieces');
  });
});

describe('what is other than it was is encoded', () => {
  const both = named('one', 'two');

  test('text, filters, tags, cleaning', async () => {
    const longer = (folder: string) => appendFileSync(path.join(folder, 'one.tsv'), 'd\td\n');
    assert.equal(await after(both, both, { between: longer }), 'one');
    const other = (folder: string) => writeFileSync(path.join(folder, 'three.tsv'), 'c d\tf\n');
    assert.equal(await after(named('one', 'three'), named('one', 'three'), { between: other }), 'three');
    const filtered = (folder: string) => [corpus(folder, 'one', { filter: { ...filter, maxLength: 2 } })];
    assert.equal(await after(both, filtered), 'one');
    assert.equal(await after(both, (folder) => [corpus(folder, 'one', { tag: '<2it>' })]), 'one');
    const clean = { nfc: true, whitespace: false };
    assert.equal(await after(both, both, { more: { clean } }), 'one two valid');
  });

  test('another tokenizer', async () => {
    const other = { ...model, serialize: () => Buffer.from('others') };
    const more: Partial<PreprocessOptions> = { vocabulary: { ...counted, models: [model, other] } };
    assert.equal(await after(both, both, { more }), 'one two valid');
  });

  test('splits that are damaged, and a dataset that does not say what it was made of', async () => {
    const damage = (folder: string): void => {
      const file = path.join(folder, 'data-bin', 'train1.en-it.it.bin');
      const bytes = readFileSync(file);
      bytes[5] ^= 1;
      writeFileSync(file, bytes);
    };
    assert.equal(await after(both, both, { between: damage }), 'two');
    const clear = (folder: string): void => {
      const destdir = path.join(folder, 'data-bin');
      const files = readdirSync(destdir);
      writeFileSync(
        path.join(destdir, 'manifest.json'),
        JSON.stringify({ format: 'admin-nmt dataset', files }),
      );
    };
    assert.equal(await after(both, both, { between: clear }), 'one two valid');
  });
});

test('one that is interrupted leaves the dataset as it was', async () => {
  const folder = corpora();
  const list = named('one')(folder);
  const { sums } = await make(folder, list);
  for (const at of ['two', 'three']) {
    const controller = new AbortController();
    const startEncoder: PreprocessOptions['startEncoder'] = (setup) => {
      if (path.basename(setup.files[0]) === `${at}.tsv`) controller.abort(new Error('interrupted'));
      return encodeHere(setup);
    };
    const more = { startEncoder, signal: controller.signal };
    await assert.rejects(make(folder, [...list, ...named('two', 'three')(folder)], more), /interrupted/);
    assert.deepEqual(sumsOf(path.join(folder, 'data-bin')), sums);
    assert.deepEqual((await make(folder, list)).encoded, []);
  }
});
