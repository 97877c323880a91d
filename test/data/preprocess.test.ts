import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Dictionary } from '../../src/data/dictionary.js';
import { readManifest } from '../../src/data/manifest.js';
import { ParallelDataset } from '../../src/data/parallel-dataset.js';
import { findParallelText, type ParallelText } from '../../src/data/parallel-text.js';
import { preprocessCorpus } from '../../src/data/preprocess.js';
import {
  type CounterSetup,
  countHere,
  type PieceTrainer,
  type PreprocessOptions,
  type StoredPieceModel,
} from '../../src/data/preprocess-options.js';
import { fixtures, refusal, scratchFolder, writeFiles } from './scratch.js';

const split = (line: string): string[] => line.split(' ').filter((word) => word !== '');

/** A tokenizer whose pieces are the words of its text. */
function wordModel(words: readonly string[]): StoredPieceModel {
  const ids = new Map(words.map((word, i) => [word, i + 1]));
  return {
    symbols: [undefined, ...words],
    appendIds: (line, list) => {
      for (const word of split(line.toString())) list.push(ids.get(word) ?? 0);
    },
    encode: split,
    serialize: () => Buffer.from(words.join('\n')),
    restricted() {
      return this;
    },
  };
}

function wordTrainer(): PieceTrainer {
  const words = new Set<string>();
  return {
    add(line) {
      for (const word of split(line)) words.add(word);
    },
    train: () => wordModel([...words]),
  };
}

type Overrides = Partial<PreprocessOptions> & { folder: string };

/** Preprocesses the texts `train`, `valid`, `test` of a folder, as far as they are there. */
async function preprocess({ folder, ...overrides }: Overrides): Promise<string> {
  const destdir = path.join(folder, 'data-bin');
  const find = (split: string): ParallelText =>
    findParallelText(path.join(folder, split), 'en', 'it', `data.${split}`);
  const texts: Record<string, ParallelText> = { train: find('train') };
  for (const split of ['valid', 'test']) {
    if (existsSync(path.join(folder, `${split}.en`))) texts[split] = find(split);
  }
  await preprocessCorpus({
    destdir,
    sourceLang: 'en',
    targetLang: 'it',
    texts: texts as unknown as PreprocessOptions['texts'],
    vocabulary: { kind: 'trained', start: (setup) => countHere(wordTrainer, setup) },
    joint: true,
    filter: { minLength: 1, maxLength: 175, maxRatio: null, deduplicate: false },
    clean: { nfc: false, whitespace: false },
    dataHash: 'hash',
    vocabularyHash: '',
    seed: 1,
    ...overrides,
  });
  return destdir;
}

test('the same text gives the files of the official preprocess.py, byte for byte', async () => {
  for (const kind of ['joint', 'apart']) {
    const folder = scratchFolder();
    for (const name of ['train.en', 'train.it', 'valid.en', 'valid.it']) {
      writeFiles(folder, { [name]: readFileSync(path.join(fixtures, name)) });
    }
    const destdir = await preprocess({ folder, joint: kind === 'joint' });
    const official = readdirSync(path.join(fixtures, kind));
    assert.equal(official.length, 10);
    for (const name of official) {
      assert.deepEqual(
        readFileSync(path.join(destdir, name)),
        readFileSync(path.join(fixtures, kind, name)),
        `${kind}/${name}`,
      );
    }
    const ours = readdirSync(destdir).filter((name) => !official.includes(name));
    const models = kind === 'joint' ? ['tokenizer.model'] : ['tokenizer.en.model', 'tokenizer.it.model'];
    assert.deepEqual(ours, ['manifest.json', ...models]);
  }
});

const CORPUS = {
  'train.en': 'a b c\nd\n\na b c\nb b b b b b b b b b b b\nc d\n',
  'train.it': 'x y z\ny\nx\nx y z\nx\nz z z\n',
  'valid.en': 'a q\n\n',
  'valid.it': 'x x x x x x x x x x x x\n\n',
};

test('filters apply to training text alone, and the manifest counts them', async () => {
  const folder = writeFiles(scratchFolder(), CORPUS);
  const destdir = await preprocess({
    folder,
    filter: { minLength: 1, maxLength: 11, maxRatio: 1.2, deduplicate: true },
  });
  const { splits, inputs, dictionaries, files } = readManifest(destdir);
  assert.deepEqual(splits.train, {
    pairs: 6,
    kept: 2,
    dropped: { 'min-length': 1, 'max-length': 1, 'max-ratio': 1, duplicate: 1 },
    sides: {
      en: { tokens: 4, unknown: 0, oovRate: 0, longest: 3, lengths: { '0-9': 2 } },
      it: { tokens: 4, unknown: 0, oovRate: 0, longest: 3, lengths: { '0-9': 2 } },
    },
  });
  assert.deepEqual(splits.valid, {
    pairs: 2,
    kept: 2,
    dropped: {},
    sides: {
      en: { tokens: 2, unknown: 1, oovRate: 0.5, longest: 2, lengths: { '0-9': 2 } },
      it: { tokens: 12, unknown: 0, oovRate: 0, longest: 12, lengths: { '0-9': 1, '10-19': 1 } },
    },
  });
  assert.deepEqual(
    inputs.map(({ role, bytes, lines }) => [role, bytes, lines]),
    [
      ['train.en', Buffer.byteLength(CORPUS['train.en']), 6],
      ['train.it', Buffer.byteLength(CORPUS['train.it']), 6],
      ['valid.en', Buffer.byteLength(CORPUS['valid.en']), 2],
      ['valid.it', Buffer.byteLength(CORPUS['valid.it']), 2],
    ],
  );
  assert.deepEqual(files, readdirSync(destdir));
  // Counts are those of the pairs kept; pieces that they lack are there with 0.
  const dictionary = Dictionary.load(path.join(destdir, 'dict.en.txt'));
  assert.deepEqual(dictionaries.en, { size: 16, sha256: dictionary.hash });
  assert.equal(
    dictionary.serialize(),
    'y 2\na 1\nb 1\nc 1\nd 1\nx 1\nz 1\nmadeupword0000 0\nmadeupword0001 0\nmadeupword0002 0\nmadeupword0003 0\nmadeupword0004 0\n',
  );
});

test('pieces that no kept pair has are in the dictionary with 0', async () => {
  const folder = writeFiles(scratchFolder(), { 'train.en': 'a\nb b b\n', 'train.it': 'x\ny y y\n' });
  const destdir = await preprocess({
    folder,
    filter: { minLength: 1, maxLength: 1, maxRatio: null, deduplicate: false },
  });
  const text = readFileSync(path.join(destdir, 'dict.it.txt'), 'utf8');
  assert.equal(text, 'a 1\nx 1\nb 0\ny 0\n');
});

test('cleaning comes before the tokenizer and before duplicates are sought', async () => {
  const folder = writeFiles(scratchFolder(), {
    'train.en': 'caf\u00e9  a\ncafe\u0301 a \n',
    'train.it': 'x\nx\n',
  });
  const destdir = await preprocess({
    folder,
    clean: { nfc: true, whitespace: true },
    filter: { minLength: 1, maxLength: 100, maxRatio: null, deduplicate: true },
  });
  const { splits } = readManifest(destdir);
  assert.equal(splits.train.kept, 1);
  assert.equal(Dictionary.load(path.join(destdir, 'dict.en.txt')).countOf(4), 1);
});

test('a given tokenizer is used and kept; pieces that no line of dict.txt can hold become <unk>', async () => {
  const folder = writeFiles(scratchFolder(), { 'train.en': 'a <pad> b\n', 'train.it': 'a\n', m: 'bytes' });
  const model = wordModel(['a', 'b', '<pad>', 'c\r']);
  const file = path.join(folder, 'm');
  const destdir = await preprocess({
    folder,
    vocabulary: { kind: 'given', files: [{ role: 'tokenizer', path: file }], models: [model, model] },
  });
  const dataset = ParallelDataset.open(destdir, 'train', 'en', 'it');
  assert.deepEqual([...dataset.pair(0).source], [4, 3, 5, 2]);
  dataset.close();
  const { inputs } = readManifest(destdir);
  assert.deepEqual(
    inputs.map(({ role, bytes, lines }) => [role, bytes, lines]),
    [
      ['train.en', 10, 1],
      ['train.it', 2, 1],
      ['tokenizer', 5, null],
    ],
  );
});

test('gzipped text and a .tsv give the same dataset', async () => {
  const plain = writeFiles(scratchFolder(), {
    'train.en': CORPUS['train.en'],
    'train.it': CORPUS['train.it'],
  });
  const packed = writeFiles(scratchFolder(), {
    'train.en.gz': gzipSync(CORPUS['train.en']),
    'train.it.gz': gzipSync(CORPUS['train.it']),
  });
  const source = CORPUS['train.en'].split('\n');
  const target = CORPUS['train.it'].split('\n');
  const table = source.slice(0, -1).map((line, i) => `${line}\t${target[i]}\n`);
  writeFiles(packed, { 'text.tsv': table.join('') });
  const hashes: string[] = [];
  for (const destdir of [
    await preprocess({ folder: plain }),
    await preprocess({ folder: packed }),
    await preprocess({
      folder: packed,
      texts: { train: { kind: 'tsv', file: path.join(packed, 'text.tsv') } },
    }),
  ]) {
    const dataset = ParallelDataset.open(destdir, 'train', 'en', 'it');
    hashes.push(dataset.hash);
    dataset.close();
  }
  assert.equal(new Set(hashes).size, 1);
});

test('bad text is refused and nothing is left behind', async () => {
  const cases: [files: Record<string, string | Buffer>, ...patterns: RegExp[]][] = [
    [{ 'train.en': '', 'train.it': '' }, /train\.en: data\.train: .*empty/],
    [{ 'train.en': '\n\n', 'train.it': '\n\n' }, /drops all 2 \(min-length: 2\)/],
    [{ 'train.en': 'a\nb\n', 'train.it': 'x\n' }, /2 in .*train\.en and 1 in .*train\.it/],
    [{ 'train.en': 'a\n', 'train.it': Buffer.from([0xff, 0x0a]) }, /train\.it:1: .*UTF-8/],
    [
      { 'train.en': 'a\n', 'train.it': 'x\n', 'valid.en': '', 'valid.it': '' },
      /valid\.en: data\.valid: .*empty/,
    ],
  ];
  for (const [files, ...patterns] of cases) {
    const folder = writeFiles(scratchFolder(), files);
    await assert.rejects(preprocess({ folder }), refusal(...patterns));
    assert.deepEqual(readdirSync(folder), Object.keys(files).sort());
  }
});

test('a dataset of ours is replaced, a folder of others is not', async () => {
  const folder = writeFiles(scratchFolder(), { ...CORPUS, 'data-bin/notes.txt': 'mine' });
  await assert.rejects(preprocess({ folder }), refusal(/data-bin: .*manifest\.json/));
  assert.deepEqual(readdirSync(path.join(folder, 'data-bin')), ['notes.txt']);

  const other = writeFiles(scratchFolder(), CORPUS);
  const destdir = await preprocess({ folder: other });
  const first = statSync(destdir).ino;
  await preprocess({ folder: other });
  assert.notEqual(statSync(destdir).ino, first);
  writeFiles(destdir, { 'run/checkpoint': 'precious' });
  await assert.rejects(preprocess({ folder: other }), refusal(/data-bin: .*'run' in it/));
  assert.ok(existsSync(path.join(destdir, 'run/checkpoint')));
});

test('a link to a folder stays a link', async () => {
  const folder = writeFiles(scratchFolder(), CORPUS);
  mkdirSync(path.join(folder, 'elsewhere'));
  symlinkSync('elsewhere', path.join(folder, 'data-bin'));
  await preprocess({ folder });
  assert.ok(lstatSync(path.join(folder, 'data-bin')).isSymbolicLink());
  assert.ok(existsSync(path.join(folder, 'elsewhere', 'manifest.json')));
});

test('an abort ends the work and leaves nothing', async () => {
  const folder = writeFiles(scratchFolder(), CORPUS);
  const signal = AbortSignal.abort(new Error('stopped by hand'));
  await assert.rejects(preprocess({ folder, signal }), /stopped by hand/);
  assert.deepEqual(readdirSync(folder), Object.keys(CORPUS).sort());
});

test('a tokenizer is trained on as many lines as are wanted, the same ones each time', async () => {
  const lines = (name: string): string => Array.from({ length: 300 }, (_, i) => `${name}${i}\n`).join('');
  const folder = scratchFolder();
  writeFiles(folder, { 'train.en': lines('e'), 'train.it': lines('i') });
  const wordsOf = async (sentences: number | undefined, joint: boolean): Promise<string[][]> => {
    const start = (setup: CounterSetup) => countHere(wordTrainer, setup);
    const destdir = await preprocess({ folder, joint, vocabulary: { kind: 'trained', start, sentences } });
    const files = joint ? ['tokenizer.model'] : ['tokenizer.en.model', 'tokenizer.it.model'];
    return files.map((file) => readFileSync(path.join(destdir, file), 'utf8').split('\n'));
  };
  const [drawn] = await wordsOf(100, true);
  assert.equal(drawn.length, 100);
  assert.ok(drawn.some((word) => word.startsWith('e')) && drawn.some((word) => word.startsWith('i')));
  assert.deepEqual(await wordsOf(100, true), [drawn]);
  const [source, target] = await wordsOf(100, false);
  assert.deepEqual(
    target.map((word) => word.replace('i', 'e')),
    source,
    'lines of the same pairs',
  );
  assert.equal(source.length, 100);
  assert.deepEqual(await wordsOf(600, true), await wordsOf(undefined, true));
});
