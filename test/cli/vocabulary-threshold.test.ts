import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { Dictionary } from '../../src/data/dictionary.js';
import { readManifest } from '../../src/data/manifest.js';
import { ParallelDataset } from '../../src/data/parallel-dataset.js';
import { makeToyPairs } from '../../src/data/toy-language.js';
import { Tokenizer } from '../../src/tokenizer/index.js';
import { spmEncode, spmMissing, spmVocabulary } from '../tokenizer/spm.js';
import { runProgram } from './run-program.js';
import { toyConfig } from './toy-run.js';

/** `data.tokenizer.vocabulary-threshold`, from text to a translation. */

const LANGUAGES = ['toa', 'tob'] as const;
const THRESHOLD = ['--vocabulary-threshold', '60'];
const folder = fs.mkdtempSync(path.join(tmpdir(), 'vocabulary-threshold-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => path.join(folder, ...names);
const linesOf = (name: string): string[] => fs.readFileSync(at(name), 'utf8').trimEnd().split('\n');

const pairs = makeToyPairs(430, 1);
for (const [split, part] of [
  ['valid', pairs.slice(0, 20)],
  ['train', pairs.slice(20, 400)],
  ['more', pairs.slice(400)],
] as const)
  for (const [language, side] of [
    ['toa', 'source'],
    ['tob', 'target'],
  ] as const)
    fs.writeFileSync(at(`${split}.${language}`), part.map((pair) => `${pair[side]}\n`).join(''));
const config = toyConfig({ 'max-update': 2, 'log-interval': 1 }, { beam: 2 });
config.data = { ...config.data, tokenizer: { 'vocab-size': 160 }, 'bpe-dropout': 0.2 };
fs.writeFileSync(at('toy.yaml'), JSON.stringify(config));

/** @returns messages */
function run(...args: string[]): string {
  const { status, stderr } = runProgram(args, { cwd: folder });
  assert.equal(status, 0, stderr);
  return stderr;
}
const preprocess = (destdir: string, ...flags: string[]): string =>
  run('preprocess', 'toy.yaml', '--destdir', destdir, ...flags);
function refused(message: RegExp, ...flags: string[]): void {
  const { status, stderr } = runProgram(['preprocess', 'toy.yaml', ...flags], { cwd: folder });
  assert.deepEqual([status, message.test(stderr)], [2, true], stderr);
}
/** The sentences of a side of the dataset, in pieces. */
function piecesOf(destdir: string, split: string, language: (typeof LANGUAGES)[number]): string[] {
  const dictionary = Dictionary.load(at(destdir, `dict.${language}.txt`));
  const dataset = ParallelDataset.open(at(destdir), split, ...LANGUAGES);
  const side = language === 'toa' ? 'source' : 'target';
  const lines = Array.from({ length: dataset.size }, (_, i) =>
    Array.from(dataset.pair(i)[side].slice(0, -1), (id) => dictionary.symbolOf(id)).join(' '),
  );
  dataset.close();
  return lines;
}
function sameFiles(one: string, other: string): void {
  const { files } = readManifest(at(one));
  assert.deepEqual(readManifest(at(other)).files, files);
  for (const name of files.filter((file) => file !== 'manifest.json'))
    assert.ok(fs.readFileSync(at(one, name)).equals(fs.readFileSync(at(other, name))), name);
}

test('each side has a model with the pieces that it has often enough; dictionaries have those of either', () => {
  preprocess('plain');
  const messages = preprocess('few', ...THRESHOLD);
  assert.match(messages, /^toa is given \d+ of 157 pieces$/m);
  const joint = Tokenizer.load(at('plain', 'tokenizer.model'));
  const used = LANGUAGES.map((language) => {
    const counts = new Map<string, number>();
    for (const line of linesOf(`train.${language}`))
      for (const piece of joint.encode(line)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
    const { pieces } = Tokenizer.load(at('few', `tokenizer.${language}.model`));
    const expected = joint.pieces.filter(
      ({ piece, type }) => type === 'normal' && ([...piece].length === 1 || (counts.get(piece) ?? 0) >= 60),
    );
    const kept = pieces.filter(({ type }) => type === 'normal');
    assert.deepEqual(kept, expected);
    assert.ok(kept.length < joint.pieces.length - 10);
    for (const split of ['train', 'valid'])
      for (const line of piecesOf('few', split, language))
        for (const piece of line.split(' '))
          assert.ok(
            kept.some((entry) => entry.piece === piece),
            piece,
          );
    return kept.map(({ piece }) => piece);
  });
  const symbols = linesOf('few/dict.toa.txt').flatMap((line) => /^(?!madeupword)\S+/.exec(line) ?? []);
  assert.deepEqual(new Set(symbols), new Set(used.flat()));
  assert.deepEqual(linesOf('few/dict.tob.txt'), linesOf('few/dict.toa.txt'));
  assert.equal(fs.existsSync(at('few', 'tokenizer.model')), false);
});

test('spm_encode gives the same', { skip: spmMissing() ?? false }, () => {
  const model = at('plain', 'tokenizer.model');
  for (const language of LANGUAGES) {
    const lines = linesOf(`train.${language}`);
    fs.writeFileSync(
      at('vocabulary'),
      spmVocabulary(model, lines)
        .map((line) => `${line}\n`)
        .join(''),
    );
    const options = [`--vocabulary=${at('vocabulary')}`, '--vocabulary_threshold=60'];
    const [ours, plain] = ['few', 'plain'].map((destdir) => piecesOf(destdir, 'train', language));
    assert.deepEqual(ours, spmEncode(model, lines, 'piece', ...options));
    assert.notDeepEqual(ours, plain);
  }
});

test('0 is off; another threshold is another dataset; a model that is given is restricted like a trained one', () => {
  preprocess('off', '--vocabulary-threshold', '0');
  sameFiles('off', 'plain');
  assert.equal(readManifest(at('off')).dataHash, readManifest(at('plain')).dataHash);
  assert.match(preprocess('few', ...THRESHOLD), /up to date/);
  assert.match(preprocess('few', '--vocabulary-threshold', '13'), /data section of the config has changed/);
  preprocess('few', ...THRESHOLD);
  const given = ['--tokenizer-model', 'plain/tokenizer.model'];
  preprocess('given', ...given, ...THRESHOLD);
  sameFiles('given', 'few');
  assert.match(preprocess('given', ...given, '--vocabulary-threshold', '13'), /has changed/);
  preprocess('given', ...given, ...THRESHOLD);
  // One model of both, and a dictionary for each: each has its own pieces alone.
  const apart = ['--no-joint', '--set', 'model.share-embeddings=none'];
  preprocess('apart', ...given, ...THRESHOLD, ...apart);
  const sizes = LANGUAGES.map((language) => linesOf(`apart/dict.${language}.txt`).length);
  assert.ok(Math.max(...sizes) < linesOf('few/dict.toa.txt').length);
  refused(/is for a tokenizer of both languages; found 60 and/, ...THRESHOLD, ...apart);
});

test('--append and vocabulary-from take it as it is', () => {
  const list = ['--trainpref', '[train, more]'];
  for (const [destdir, ...flags] of [
    ['few', ...THRESHOLD],
    ['given', ...THRESHOLD, '--tokenizer-model', 'plain/tokenizer.model'],
  ]) {
    preprocess('from', ...list, '--vocabulary-from', destdir, '--overwrite');
    const other = ['--destdir', destdir, '--append', ...list, ...flags, '--vocabulary-threshold', '3'];
    refused(/data\.tokenizer as it was made with, found another/, ...other);
    assert.match(preprocess(destdir, '--append', ...list, ...flags), /^train: its 380 pairs are taken over/m);
    sameFiles(destdir, 'from');
    fs.writeFileSync(at('other.model'), fs.readFileSync(at('few', 'tokenizer.toa.model')));
    refused(
      /data\.tokenizer as it was made with/,
      '--destdir',
      destdir,
      '--append',
      ...THRESHOLD,
      '--tokenizer-model',
      'other.model',
    );
  }
  // A model that stays needs no --append, but its counts are those of all text.
  preprocess('again', ...THRESHOLD, '--tokenizer-model', 'plain/tokenizer.model');
  preprocess('again', ...THRESHOLD, '--tokenizer-model', 'plain/tokenizer.model', ...list);
  preprocess('scratch', ...THRESHOLD, '--tokenizer-model', 'plain/tokenizer.model', ...list);
  sameFiles('again', 'scratch');
});

test('tags stay, however rare they are in text', () => {
  const tagged = 'data.train=[{path: train, tag: <2b>}, {name: again, path: more, tag: <BT>}]';
  preprocess('tagged', '--set', tagged, '--set', 'data.valid-tag=<2b>', ...THRESHOLD);
  assert.match(piecesOf('tagged', 'train1', 'toa')[0], /^<BT> /);
  const common = pieceOf('plain');
  const given = ['--tokenizer-model', 'plain/tokenizer.model', '--set', `data.valid-tag=${common}`];
  preprocess('rare', ...given, '--vocabulary-threshold', '100000');
  assert.ok(piecesOf('rare', 'valid', 'toa').every((line) => line.startsWith(`${common} `)));
});

/** A piece of several characters. */
function pieceOf(destdir: string): string {
  const { pieces } = Tokenizer.load(at(destdir, 'tokenizer.model'));
  return pieces.find(({ piece, type }) => type === 'normal' && [...piece].length === 2)!.piece;
}

test('training, also with BPE-dropout, keeps to it; the run and its exports have the models', () => {
  run('train', 'toy.yaml', ...THRESHOLD, '--destdir', 'trained');
  const read = (...names: string[]) => fs.readFileSync(at(...names));
  for (const language of LANGUAGES) {
    const name = `tokenizer.${language}.model`;
    assert.ok(read('run', name).equals(read('trained', name)));
  }
  run('export', 'run', '-f', 'ctranslate2', '-o', 'exported');
  assert.ok(read('exported', 'tokenizer.toa.model').equals(read('run', 'tokenizer.toa.model')));
  const { stdout } = runProgram(['evaluate', 'run', '-s', 'valid.toa', '-t', 'valid.tob', '-f', 'jsonl'], {
    cwd: folder,
  });
  const target = Tokenizer.load(at('trained', 'tokenizer.tob.model'));
  stdout
    .trimEnd()
    .split('\n')
    .forEach((line, i) => {
      assert.equal(JSON.parse(line).tokenLogProbs.length, target.encode(linesOf('valid.tob')[i]).length + 1);
    });
});
