import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../../src/common/errors.js';
import { packageRoot } from '../../../src/common/files.js';
import { loadConfig } from '../../../src/config/load.js';
import type { DataConfig } from '../../../src/config/schema.js';
import { Dictionary, EOS, UNK } from '../../../src/data/dictionary.js';
import type { SentencePair } from '../../../src/data/parallel-dataset.js';
import { makeToyPairs } from '../../../src/data/toy-language.js';
import { BpeTrainer, type Tokenizer } from '../../../src/tokenizer/index.js';
import { createResegment } from '../../../src/workflows/train/resegment.js';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'resegment-'));
after(() => fs.rmSync(folder, { recursive: true }));
const pairs = makeToyPairs(200, 3);

function trainTokenizer(): Tokenizer {
  const trainer = new BpeTrainer({ vocabSize: 120 });
  for (const { source, target } of pairs) {
    trainer.add(source);
    trainer.add(target);
  }
  return trainer.train();
}

const tokenizer = trainTokenizer();
fs.writeFileSync(path.join(folder, 'tokenizer.model'), tokenizer.serialize());
const normal = tokenizer.pieces.filter(({ type }) => type === 'normal').map(({ piece }) => piece);
const dictionary = Dictionary.fromCounts(normal.map((piece) => [piece, 1]));

function dataConfig(dropout: number, destdir = folder, ...sets: string[]): DataConfig {
  const given = [
    `data.destdir=${destdir}`,
    `data.bpe-dropout=${dropout}`,
    'data.source-lang=toa',
    'data.target-lang=tob',
  ];
  return loadConfig({ files: [], sets: [...given, ...sets] }).config.data;
}

function idsOf(line: string, symbols: Dictionary): Int32Array {
  return Int32Array.from([...tokenizer.encode(line).map((piece) => symbols.indexOf(piece)), EOS]);
}

const encoded: SentencePair[] = pairs.map(({ source, target }) => ({
  source: idsOf(source, dictionary),
  target: idsOf(target, dictionary),
}));

const textOf = (ids: Int32Array): string =>
  tokenizer.decode(Array.from(ids.subarray(0, -1), (id) => dictionary.symbolOf(id)));

function resegmented(dropout: number, seed: number, epoch: number): SentencePair[] {
  const resegment = createResegment(dataConfig(dropout), seed, dictionary, dictionary)!;
  return encoded.map((pair, index) => resegment(pair, index, epoch));
}

test('off at 0', () => {
  assert.equal(createResegment(dataConfig(0), 1, dictionary, dictionary), undefined);
});

test('the text stays, its segmentation does not', () => {
  const others = resegmented(0.3, 1, 1);
  others.forEach((other, i) => {
    assert.equal(textOf(other.source), pairs[i].source);
    assert.equal(textOf(other.target), pairs[i].target);
    assert.equal(other.source.at(-1), EOS);
  });
  const tokens = (all: SentencePair[]) => all.reduce((sum, { source }) => sum + source.length, 0);
  assert.ok(tokens(others) > 1.1 * tokens(encoded));
});

test('a function of seed, epoch and index alone', () => {
  const first = resegmented(0.3, 1, 1);
  assert.deepEqual(resegmented(0.3, 1, 1), first);
  assert.notDeepEqual(resegmented(0.3, 2, 1), first);
  assert.notDeepEqual(resegmented(0.3, 1, 2), first);
  const resegment = createResegment(dataConfig(0.3), 1, dictionary, dictionary)!;
  assert.deepEqual(resegment(encoded[77], 77, 1), first[77], 'not of what was read before');
  const places = Array.from({ length: 20 }, (_, index) => resegment(encoded[0], index, 1));
  assert.ok(new Set(places.map(({ source }) => source.join(' '))).size > 10);
  const same = { source: encoded[0].source, target: encoded[0].source };
  const sides = Array.from({ length: 20 }, (_, index) => resegment(same, index, 1));
  assert.ok(sides.some(({ source, target }) => source.join(' ') !== target.join(' ')));
});

test('what the dictionary cannot say keeps its segmentation', () => {
  const unknown = Int32Array.from([...encoded[0].source.subarray(0, -1), UNK, EOS]);
  const few = Dictionary.fromCounts(
    [...new Set(tokenizer.encode(pairs[0].target))].map((piece) => [piece, 1]),
  );
  const target = idsOf(pairs[0].target, few);
  const resegment = createResegment(dataConfig(0.9), 1, dictionary, few)!;
  const other = resegment({ source: unknown, target }, 0, 1);
  assert.deepEqual(other.source, unknown);
  assert.deepEqual(other.target, target);
  const empty = Int32Array.of(EOS);
  assert.deepEqual(resegment({ source: empty, target: empty }, 0, 1), { source: empty, target: empty });
});

test('a tokenizer for each language', () => {
  const apart = path.join(folder, 'apart');
  fs.mkdirSync(apart);
  fs.writeFileSync(path.join(apart, 'tokenizer.toa.model'), tokenizer.serialize());
  const create = () => createResegment(dataConfig(0.5, apart), 1, dictionary, dictionary)!;
  assert.throws(create, (error) => error instanceof UserError && /tokenizer of tob/.test(error.message));
  fs.writeFileSync(path.join(apart, 'tokenizer.tob.model'), tokenizer.serialize());
  assert.equal(textOf(create()(encoded[3], 3, 1).target), pairs[3].target);
});

test('a dataset without a tokenizer, or with a unigram model, is refused', () => {
  const none = path.join(folder, 'none');
  fs.mkdirSync(none);
  const create = (...sets: string[]) =>
    createResegment(dataConfig(0.1, none, ...sets), 1, dictionary, dictionary);
  assert.throws(create, (error) => error instanceof UserError && error.message.startsWith(none));
  const model = path.join(folder, 'tokenizer.model');
  assert.ok(create(`data.tokenizer.model=${model}`) !== undefined);
  const unigram = path.join(packageRoot(), 'test/tokenizer/fixtures/unigram.model');
  const refused = () => create(`data.tokenizer.model=${unigram}`);
  assert.throws(
    refused,
    (error) => error instanceof UserError && /found a unigram model/.test(error.message),
  );
});
