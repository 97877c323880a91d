import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { packageRoot } from '../../src/common/files.js';
import { nmtNfkcCharsMap } from '../../src/tokenizer/charsmap.js';
import { BpeTrainer, Tokenizer } from '../../src/tokenizer/index.js';
import { Normalizer } from '../../src/tokenizer/normalizer.js';
import { makeFuzzLines, makeText } from './sample-text.js';
import { spmDecode, spmEncode, spmMissing, spmTrain } from './spm.js';

/** Against SentencePiece's own programs, where they are installed, on text that they have not seen before. */

const multi30k = path.join(packageRoot(), '..', 'shared', 'data', 'multi30k');
const noPrograms = spmMissing() ?? false;
const noData = fs.existsSync(multi30k) ? false : `there is no Multi30k in ${multi30k}`;
const folder = fs.mkdtempSync(path.join(tmpdir(), 'tokenizer-live-'));
after(() => fs.rmSync(folder, { recursive: true }));

function linesOf(name: string): string[] {
  const text = gunzipSync(fs.readFileSync(path.join(multi30k, `${name}.gz`))).toString('utf8');
  return text.split('\n').slice(0, -1);
}

/** Encodes and decodes lines here and there. @returns how many tokens that was */
function compare(prefix: string, lines: readonly string[]): number {
  const file = path.join(folder, `${prefix}.model`);
  const tokenizer = Tokenizer.load(file);
  const ids = lines.map((line) => tokenizer.encodeIds(line));
  const joined = ids.map((line) => line.join(' '));
  sameLines(joined, spmEncode(file, lines, 'id'), lines);
  sameLines(
    lines.map((line) => tokenizer.encode(line).join(' ')),
    spmEncode(file, lines, 'piece'),
    lines,
  );
  sameLines(
    ids.map((line) => tokenizer.decodeIds(line)),
    spmDecode(file, joined),
    lines,
  );
  return ids.reduce((sum, line) => sum + line.length, 0);
}

function sameLines(ours: readonly string[], theirs: readonly string[], lines: readonly string[]): void {
  assert.equal(ours.length, theirs.length);
  const differing = lines.filter((_, i) => ours[i] !== theirs[i]);
  assert.deepEqual(differing.slice(0, 3), [], `${differing.length} lines differ`);
}

test('Multi30k: the model at 8 000 pieces and all ids', { skip: noPrograms || noData }, (t) => {
  const texts = { 'train.de': linesOf('train.de'), 'train.en': linesOf('train.en') };
  const options = ['--model_type=bpe', '--vocab_size=8000', '--character_coverage=1.0'];
  const model = spmTrain(folder, texts, 'multi30k', ...options);
  const start = performance.now();
  const trainer = new BpeTrainer({ vocabSize: 8000, input: Object.keys(texts), modelPrefix: 'multi30k' });
  for (const line of Object.values(texts).flat()) trainer.add(line);
  assert.ok(model.equals(trainer.train().serialize()), 'the .model is the same');
  t.diagnostic(`trained in ${Math.round(performance.now() - start)} ms`);
  const names = ['train', 'val', 'test_2016_flickr'].flatMap((split) => [`${split}.de`, `${split}.en`]);
  const lines = names.flatMap(linesOf);
  t.diagnostic(`${lines.length} lines, ${compare('multi30k', lines)} tokens, no difference`);
});

for (const [name, vocabSize, byteFallback] of [
  ['plain', 3000, false],
  ['bytes', 3000, true],
] as const) {
  test(`20 000 lines of mixed scripts: ${name}`, { skip: noPrograms }, (t) => {
    const text = makeText(31, 3000);
    const options = ['--model_type=bpe', `--vocab_size=${vocabSize}`, '--character_coverage=1.0'];
    const model = spmTrain(folder, { 'text.txt': text }, name, ...options, `--byte_fallback=${byteFallback}`);
    const trainer = new BpeTrainer({ vocabSize, byteFallback, input: ['text.txt'], modelPrefix: name });
    for (const line of text) trainer.add(line);
    assert.ok(model.equals(trainer.train().serialize()), 'the .model is the same');
    const lines = makeFuzzLines(32, 20_000);
    t.diagnostic(`${compare(name, lines)} tokens, no difference`);
    const round = checkRoundTrip(Tokenizer.parse(model), lines);
    t.diagnostic(`${round} lines come back normalised`);
    assert.ok(byteFallback ? round === lines.length : round > 500);
  });
}

test('symbols of the user, any parts of the text', { skip: noPrograms }, (t) => {
  const text = makeText(39, 300).filter((line) => line.length > 8);
  const symbols = (seed: number): string[] => {
    const parts = text.map((line, i) => line.slice((seed * i) % 5, ((seed * i) % 5) + 1 + ((i + seed) % 4)));
    const usable = parts.filter((part) => !/[\s\p{Cs},"\u2581]|^$/u.test(part));
    return [...new Set(usable)].slice(20 * seed, 20 * seed + 12);
  };
  for (let seed = 1; seed <= 4; seed++) {
    const all = symbols(seed);
    const userDefinedSymbols = all.slice(0, 8);
    const controlSymbols = all.slice(8).filter((symbol) => [...symbol].length > 1);
    const options = { vocabSize: 700, userDefinedSymbols, controlSymbols };
    const name = `symbols-${seed}`;
    const model = spmTrain(
      ...[folder, { 'text.txt': text }, name, '--model_type=bpe', '--vocab_size=700'],
      ...['--character_coverage=1.0', `--user_defined_symbols=${userDefinedSymbols}`],
      `--control_symbols=${controlSymbols}`,
    );
    const trainer = new BpeTrainer({ ...options, input: ['text.txt'], modelPrefix: name });
    for (const line of text) trainer.add(line);
    assert.ok(model.equals(trainer.train().serialize()), `the .model is the same: ${all}`);
    t.diagnostic(`${compare(name, text)} tokens, no difference`);
  }
});

test('rules of the user, any', { skip: noPrograms }, () => {
  const text = makeText(40, 400);
  const letters = [...new Set(text.join('').replaceAll(' ', ''))];
  const hex = (from: number, count: number): string =>
    Array.from({ length: count }, (_, i) => letters[(from * 7 + i * i * 5) % letters.length])
      .map((letter) => letter.codePointAt(0)!.toString(16))
      .join(' ');
  for (const count of [4, 60, 3000]) {
    const rules = Array.from(
      { length: count },
      (_, i) => `${hex(i, 1 + (i % 4))}\t${hex(i + 3, i % 3)}\tany`,
    );
    const [name, rulesName] = [`rules-${count}`, `rules-${count}.tsv`];
    fs.writeFileSync(path.join(folder, rulesName), rules.map((rule) => `${rule}\n`).join(''));
    const options = ['--model_type=bpe', '--vocab_size=400', '--character_coverage=1.0'];
    const named = `--normalization_rule_tsv=${rulesName}`;
    const model = spmTrain(folder, { 'text.txt': text }, name, ...options, named);
    const normalizationRules = { text: rules.join('\n'), file: rulesName };
    const given = { vocabSize: 400, input: ['text.txt'], modelPrefix: name, normalizationRules, rulesName };
    const trainer = new BpeTrainer(given);
    for (const line of text) trainer.add(line);
    assert.ok(model.equals(trainer.train().serialize()), `the .model is the same: ${count} rules`);
    compare(name, text);
  }
});

/** Checks that lines without unknown pieces come back. @returns how many these are */
function checkRoundTrip(tokenizer: Tokenizer, lines: readonly string[]): number {
  const normalizer = new Normalizer({
    charsmap: nmtNfkcCharsMap(),
    addDummyPrefix: true,
    removeExtraWhitespaces: true,
    escapeWhitespaces: true,
  });
  const known = lines.filter((line) => !tokenizer.encodeIds(line).includes(0));
  for (const line of known) {
    const normalized = normalizer
      .normalize(line)
      .replace(/^\u2581+/, '')
      .replaceAll('\u2581', ' ');
    assert.equal(tokenizer.decode(tokenizer.encode(line)).replace(/^ +/, ''), normalized, line);
  }
  return known.length;
}

test('a unigram model: ids of hard lines', { skip: noPrograms }, (t) => {
  const text = makeText(33, 1500);
  spmTrain(folder, { 'text.txt': text }, 'unigram', '--vocab_size=1500', '--character_coverage=1.0');
  t.diagnostic(`${compare('unigram', [...makeText(34, 1000), ...makeFuzzLines(35, 3000)])} tokens`);
});

/** In a process of its own: the library listens for uncaught errors, which would hide them from the test runner. */
const ASK_LIBRARY = `
  import { readFileSync } from 'node:fs';
  import { SentencePieceProcessor } from 'sentencepiece-js';
  const processor = new SentencePieceProcessor();
  await processor.load(process.argv[1]);
  const lines = JSON.parse(readFileSync(0, 'utf8'));
  process.stdout.write(JSON.stringify(lines.map((line) => [...processor.encodeIds(line)])));
`;

test('sentencepiece-js gives the same ids', (t) => {
  const trainer = new BpeTrainer({ vocabSize: 2000 });
  for (const line of makeText(36, 2000)) trainer.add(line);
  const tokenizer = trainer.train();
  const file = path.join(folder, 'library.model');
  fs.writeFileSync(file, tokenizer.serialize());
  const lines = [...makeText(37, 2000), ...makeFuzzLines(38, 2000)];
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', ASK_LIBRARY, file], {
    cwd: packageRoot(),
    input: JSON.stringify(lines),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const theirs = (JSON.parse(output) as number[][]).map((ids) => ids.join(' '));
  sameLines(
    lines.map((line) => tokenizer.encodeIds(line).join(' ')),
    theirs,
    lines,
  );
  t.diagnostic(`${lines.length} lines, no difference`);
});
