import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkDataset } from '../../src/data/check-dataset.js';
import { Dictionary } from '../../src/data/dictionary.js';
import { readManifest } from '../../src/data/manifest.js';
import { ParallelDataset } from '../../src/data/parallel-dataset.js';
import { findParallelText, type ParallelText, withLinks } from '../../src/data/parallel-text.js';
import { preprocessCorpus } from '../../src/data/preprocess.js';
import type { PreprocessOptions } from '../../src/data/preprocess-options.js';
import type { CorpusText } from '../../src/data/text-parts.js';
import { makeToyPairs } from '../../src/data/toy-language.js';
import { encodeOnThreads } from '../../src/workflows/preprocess/encoder-threads.js';
import { refusal, scratchFolder, writeFiles } from './scratch.js';
import { trainedVocabulary } from './small-dataset.js';

const filter = { minLength: 1, maxLength: 20, maxRatio: null, deduplicate: true };
const find = (folder: string, name: string): ParallelText => {
  const prefix = path.join(folder, name);
  return withLinks(findParallelText(prefix, 'aa', 'bb', 'data.train'), prefix, {
    ...{ suffix: 'align', key: 'data.train', needed: true },
  });
};

/** Makes `data-bin` of a folder. */
async function make(folder: string, more: Partial<PreprocessOptions> = {}): Promise<string> {
  const destdir = path.join(folder, 'data-bin');
  await preprocessCorpus({
    ...{ destdir, sourceLang: 'aa', targetLang: 'bb', joint: true, filter },
    vocabulary: trainedVocabulary({ vocabSize: 120, userDefinedSymbols: ['<t>'] }),
    texts: more.texts ?? { train: find(folder, 'train') },
    ...{ clean: { nfc: false, whitespace: false }, dataHash: '', vocabularyHash: '', seed: 1, reuse: true },
    ...more,
  });
  return destdir;
}

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** Toy pairs, of which the links between words are known; every fourth comes again, and each alignment with its own pair. */
function files(name: string, seed: number, count = 40): Record<string, string> {
  const pairs = makeToyPairs(count, seed).flatMap((pair, i) => (i % 4 === 0 ? [pair, pair] : [pair]));
  return {
    [`${name}.aa`]: text(pairs.map(({ source }) => source)),
    [`${name}.bb`]: text(pairs.map(({ target }) => target)),
    [`${name}.align`]: text(pairs.map(({ alignment }) => alignment)),
  };
}

/** The links between words that those between pieces of a pair come to, by the words themselves. */
function wordLinks(dataset: ParallelDataset, i: number, dictionary: Dictionary, tag?: string): Set<string> {
  const { source, target, links } = dataset.pair(i);
  const wordsOf = (ids: Int32Array): string[] => {
    const pieces = Array.from(ids, (id) => dictionary.symbolOf(id)).filter((piece) => piece !== '</s>');
    const words: string[][] = [];
    const wordOf = pieces.map((piece) => {
      if (piece === tag) return -1;
      if (piece.startsWith('▁')) words.push([]);
      words[words.length - 1].push(piece.replace('▁', ''));
      return words.length - 1;
    });
    return wordOf.map((word) => (word === -1 ? 'tag' : words[word].join('')));
  };
  const [from, to] = [wordsOf(source), wordsOf(target)];
  const found = new Set<string>();
  for (let at = 0; at < links!.length; at += 2) found.add(`${from[links![at]]} ${to[links![at + 1]]}`);
  return found;
}

/** Checks that every pair of a split has the links of its own words; the gold ones are looked up by the text. */
function checkLinks(folder: string, split: string, names: readonly string[], tag?: string): number {
  const gold = new Map<string, Set<string>>();
  for (const name of names) {
    const [aa, bb, links] = ['aa', 'bb', 'align'].map((ending) =>
      readFileSync(path.join(folder, `${name}.${ending}`), 'utf8').split('\n'),
    );
    aa.forEach((line, i) => {
      const [from, to] = [line.split(' '), bb[i].split(' ')];
      const pairs = links[i].split(' ').filter((link) => link !== '');
      gold.set(
        line,
        new Set(pairs.map((link) => link.split('-').map(Number)).map(([s, t]) => `${from[s]} ${to[t]}`)),
      );
    });
  }
  const destdir = path.join(folder, 'data-bin');
  const dictionary = Dictionary.load(path.join(destdir, 'dict.aa.txt'));
  const dataset = ParallelDataset.open(destdir, split, 'aa', 'bb', { aligned: true });
  for (let i = 0; i < dataset.size; i++) {
    const pieces = Array.from(dataset.pair(i).source, (id) => dictionary.symbolOf(id)).slice(0, -1);
    const line = pieces
      .filter((piece) => piece !== tag)
      .join('')
      .replaceAll('▁', ' ')
      .trim();
    assert.deepEqual(wordLinks(dataset, i, dictionary, tag), gold.get(line), `${split} ${i}: ${line}`);
  }
  const { size } = dataset;
  dataset.close();
  return size;
}

test('links stay with their pairs where some are dropped or come again, in one thread and in several', async () => {
  const folder = writeFiles(scratchFolder(), files('train', 1));
  const destdir = await make(folder);
  const { splits, checksums, files: names, inputs } = readManifest(destdir);
  const { kept, pairs, dropped, links } = splits.train;
  assert.ok(dropped['max-length']! > 0 && dropped.duplicate! > 0 && kept > 10 && links! > kept);
  assert.equal(pairs, 50);
  assert.equal(checkLinks(folder, 'train', ['train']), kept);
  for (const name of ['train.align.aa-bb.bin', 'train.align.aa-bb.idx'])
    assert.ok(names.includes(name) && name in checksums!);
  assert.deepEqual(
    inputs.map(({ role }) => role),
    ['train.aa', 'train.bb', 'train.links'],
  );
  const bytes = readFileSync(path.join(destdir, 'train.align.aa-bb.bin'));
  rmSync(destdir, { recursive: true });
  await make(folder, { startEncoder: (setup) => encodeOnThreads(setup, 2) });
  assert.deepEqual(readFileSync(path.join(destdir, 'train.align.aa-bb.bin')), bytes);
  assert.ok(checkDataset(destdir, () => '').every(({ verdict }) => verdict !== 'damaged'));
});

test('several corpora, one with a tag and a column a side; packed; blank pairs, and none linked', async () => {
  const folder = writeFiles(scratchFolder(), { ...files('train', 1), ...files('more', 2) });
  const read = (name: string) => readFileSync(path.join(folder, name), 'utf8').split('\n');
  const [aa, bb] = [read('more.aa'), read('more.bb')];
  writeFiles(folder, {
    'more.tsv': aa.flatMap((line, i) => (line === '' ? [] : [`${line}\t${bb[i]}\n`])).join(''),
    'more.align.gz': gzipSync(readFileSync(path.join(folder, 'more.align'))),
    'valid.aa': `\n${aa[0]}\n`,
    'valid.bb': `\n${bb[0]}\n`,
    'valid.align': '\n\n',
  });
  const links = readFileSync(path.join(folder, 'more.align'));
  rmSync(path.join(folder, 'more.align'));
  const corpus = (name: string, file: string, tag: string | null): CorpusText => ({
    ...{ name, tag, filter, texts: [find(folder, file)] },
  });
  const texts = {
    train: [corpus('one', 'train', null), corpus('two', 'more.tsv', '<t>')],
    ...{ valid: find(folder, 'valid'), validTag: '<t>' },
  };
  const destdir = await make(folder, { texts });
  writeFileSync(path.join(folder, 'more.align'), links);
  assert.ok(checkLinks(folder, 'train', ['train']) > 10);
  assert.ok(checkLinks(folder, 'train1', ['more'], '<t>') > 10);
  const valid = ParallelDataset.open(destdir, 'valid', 'aa', 'bb', { aligned: true });
  assert.deepEqual([...valid.pair(0).links!, ...valid.pair(1).links!], []);
  assert.deepEqual(await valid.pairs(Int32Array.of(1)), [valid.pair(1)]);
  valid.close();
});

test('taken over with the ids as they are; other links of the same text are read anew', async () => {
  const folder = writeFiles(scratchFolder(), files('train', 1));
  const encoded: string[] = [];
  const vocabulary = trainedVocabulary({ vocabSize: 120 });
  const again = async (): Promise<Buffer> => {
    encoded.length = 0;
    const destdir = await make(folder, {
      vocabulary,
      startEncoder: (setup) => {
        encoded.push(...setup.files);
        return encodeOnThreads(setup, 2);
      },
    });
    return readFileSync(path.join(destdir, 'train.align.aa-bb.bin'));
  };
  const first = await again();
  assert.ok(encoded.length > 0);
  assert.deepEqual(await again(), first);
  assert.deepEqual(encoded, [], 'taken over');
  checkLinks(folder, 'train', ['train']);
  const file = path.join(folder, 'train.align');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^\S+/, ''));
  assert.equal((await again()).length < first.length, true);
  assert.ok(encoded.length > 0);
});

test('corpora of one text that exchange their alignments are not taken over', async () => {
  const given = files('one', 1);
  const folder = writeFiles(scratchFolder(), {
    ...given,
    ...{
      'two.aa': given['one.aa'],
      'two.bb': given['one.bb'],
      'two.align': given['one.align'].replace(/.+/g, ''),
    },
  });
  const made = async (...[first, second]: string[]): Promise<number[]> => {
    const train = [first, second].map((links, i): CorpusText => {
      const name = ['one', 'two'][i];
      return {
        name,
        tag: null,
        filter,
        texts: [{ ...find(folder, name), links: find(folder, links).links }],
      };
    });
    const { splits } = readManifest(await make(folder, { texts: { train } }));
    return [splits.train, splits.train1].map(({ links }) => links!);
  };
  const [some, none] = await made('one', 'two');
  assert.ok(some > 0 && none === 0);
  assert.deepEqual(await made('two', 'one'), [none, some]);
});

test('a data-bin of the other direction has its links the other way round', async () => {
  const folder = writeFiles(scratchFolder(), files('train', 1));
  const destdir = await make(folder);
  const [there, back] = [
    ['aa', 'bb'],
    ['bb', 'aa'],
  ].map(([source, target]) => ParallelDataset.open(destdir, 'train', source, target, { aligned: true }));
  const turned = Array.from(back.pair(3).links!, (_, i, all: Int32Array = back.pair(3).links!) => all[i ^ 1]);
  assert.deepEqual(turned, [...there.pair(3).links!]);
  there.close();
  back.close();
});

test('what is wrong is told by file and line, and nothing is written', async () => {
  const cases: [change: (lines: string[]) => string[], ...patterns: RegExp[]][] = [
    [(lines) => lines.with(4, '0-0 x'), /found 'x' as token 2/, /train\.align:5/],
    [(lines) => lines.with(49, '0-0 0-31'), /'0-31', token 2, has word 31 of the target/, /train\.align:50/],
    [(lines) => lines.slice(0, -1), /found 50 in \S+train\.aa and 49 in \S+train\.align/],
    [(lines) => [...lines, ''], /found 50 in \S+train\.aa and 51 in \S+train\.align/],
  ];
  for (const [change, ...patterns] of cases) {
    const given = files('train', 1);
    const folder = writeFiles(scratchFolder(), given);
    writeFileSync(path.join(folder, 'train.align'), text(change(given['train.align'].trimEnd().split('\n'))));
    await assert.rejects(make(folder), refusal(...patterns));
    assert.deepEqual(readdirSync(folder).sort(), ['train.aa', 'train.align', 'train.bb']);
  }
  const folder = writeFiles(scratchFolder(), files('train', 1));
  rmSync(path.join(folder, 'train.align'));
  assert.throws(
    () => find(folder, 'train'),
    refusal(/data\.align-suffix of data\.train: no such file, nor train\.align\.gz/, /blank lines/),
  );
});

test('alignments that are missing, of other pairs, or of tokens that are not there', async () => {
  const folder = writeFiles(scratchFolder(), files('train', 1));
  const destdir = await make(folder);
  const at = (name: string): string => path.join(destdir, name);
  const open = () => ParallelDataset.open(destdir, 'train', 'aa', 'bb', { aligned: true });
  const hash = (): string => {
    const dataset = open();
    const { hash: found } = dataset;
    dataset.close();
    return found;
  };
  const before = hash();
  const bytes = readFileSync(at('train.align.aa-bb.bin'));
  const spoilt = Buffer.from(bytes);
  spoilt.writeInt32LE(60, 0);
  writeFileSync(at('train.align.aa-bb.bin'), spoilt);
  assert.notEqual(hash(), before);
  const dataset = open();
  assert.throws(
    () => dataset.pair(0),
    refusal(/pair 0: expected links of its \d+ source and \d+ target tokens, found 60 /),
  );
  await assert.rejects(dataset.pairs(Int32Array.of(0)), refusal(/pair 0/));
  assert.throws(() => dataset.check(), refusal(/pair 0/));
  dataset.close();
  rmSync(at('train.align.aa-bb.idx'));
  assert.throws(open, refusal(/needs the alignments of the train split/, /data\.align-suffix/));
  assert.equal(ParallelDataset.isAligned(destdir, 'train', 'aa', 'bb'), false);
  assert.ok(existsSync(at('train.aa-bb.aa.idx')));
});
