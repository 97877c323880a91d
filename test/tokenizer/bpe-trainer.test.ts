import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { BpeTrainer, type BpeTrainerOptions, type Tokenizer } from '../../src/tokenizer/index.js';
import type { CountedWords } from '../../src/tokenizer/word-counts.js';
import { buffersOf } from '../../src/tokenizer/word-table.js';
import { makeFuzzLines, makeText } from './sample-text.js';

function train(options: BpeTrainerOptions, lines: readonly string[]): Tokenizer {
  const trainer = new BpeTrainer(options);
  for (const line of lines) trainer.add(line);
  return trainer.train();
}

const refusal = (pattern: RegExp) => (error: unknown) =>
  error instanceof UserError && pattern.test(error.message);

test('merges worked by hand', () => {
  // ▁aab twice, ▁ab once: ab three times; then ▁a and aab twice, the shorter first; then ▁aab twice, ▁ab once.
  const { pieces } = train({ vocabSize: 10 }, ['aab ab', 'aab']);
  assert.deepEqual(
    pieces.map(({ piece, score, type }) => `${piece} ${score} ${type}`),
    [
      '<unk> 0 unknown',
      '<s> 0 control',
      '</s> 0 control',
      'ab 0 normal',
      '\u2581a -1 normal',
      '\u2581aab -2 normal',
      '\u2581ab -3 normal',
      'a -4 normal',
      'b -5 normal',
      '\u2581 -6 normal',
    ],
  );
});

test('of AAA the second AA does not count, of AAAA the third does', () => {
  const learned = (line: string) => train({ vocabSize: 7 }, [line]).pieces[3].piece;
  assert.equal(learned('aaa aaa bb bb bb'), 'bb');
  assert.equal(learned('aaaa aaaa bb bb bb'), 'aa');
});

test('the order of lines, and how they are given, do not matter', () => {
  const lines = [...makeText(21, 300), ...makeFuzzLines(22, 50)].filter((line) => line !== '');
  const options = { vocabSize: 1500, characterCoverage: 0.99 };
  const bytes = (given: readonly string[]) => Buffer.from(train(options, given).serialize());
  const expected = bytes(lines);
  assert.deepEqual(bytes([lines.join('\n'), '', '']), expected);
  assert.deepEqual(
    bytes([...lines, 'x'.repeat(4193), 'with \u2585']),
    expected,
    'lines that are passed over',
  );
  const trainer = new BpeTrainer(options);
  for (const line of lines) trainer.add(line);
  trainer.train();
  assert.deepEqual(Buffer.from(trainer.train().serialize()), expected, 'trained twice');
});

test('counts of several trainers, in any order, make the model of one', () => {
  const lines = [...makeText(25, 400), ...makeFuzzLines(26, 60)];
  const options = { vocabSize: 1200, characterCoverage: 0.99 };
  const expected = Buffer.from(train(options, lines).serialize());
  const count = (from: number, to: number): CountedWords => {
    const trainer = new BpeTrainer(options);
    for (const line of lines.slice(from, to)) trainer.add(line);
    return trainer.take();
  };
  const trainer = new BpeTrainer(options);
  for (const line of lines.slice(200, 300)) trainer.add(line);
  for (const [from, to] of [
    [300, lines.length],
    [0, 200],
  ]) {
    const { raw, normalized } = count(from, to);
    const transfer = [...buffersOf(raw), ...buffersOf(normalized)];
    trainer.give(structuredClone({ raw, normalized }, { transfer }));
  }
  assert.deepEqual(Buffer.from(trainer.train().serialize()), expected);
});

test('words are counted alike one by one and by the line', () => {
  // A space symbol in a line has it normalised as a whole.
  const lines = makeText(23, 100);
  const spaced = lines.map((line) => line.replaceAll(' ', '\u2581'));
  const { pieces } = train({ vocabSize: 500 }, lines);
  assert.deepEqual(train({ vocabSize: 500 }, spaced).pieces, pieces);
});

test('input and prefix are written down and change nothing else', () => {
  const lines = makeText(24, 50, 1);
  const plain = Buffer.from(train({ vocabSize: 60 }, lines).serialize());
  const named = train({ vocabSize: 60, input: ['some.txt', 'more.txt'], modelPrefix: 'mine' }, lines);
  const bytes = Buffer.from(named.serialize());
  assert.ok(bytes.includes('some.txt') && bytes.includes('more.txt') && bytes.includes('mine'));
  assert.ok(plain.includes('tokenizer'));
  assert.equal(bytes.length - plain.length, 2 + 8 + 2 + 8 + 4 - 9);
});

test('lone surrogates and NUL are no reason to fail', () => {
  const { pieces } = train({ vocabSize: 12, normalization: 'identity' }, ['ab \ud800b', 'a\0b ab', 'abab']);
  assert.ok(pieces.some(({ piece }) => piece === '\ufffd'));
  assert.ok(!pieces.some(({ piece }) => piece.includes('\0')));
});

test('options out of range and text that is none are refused', () => {
  for (const vocabSize of [0, -1, 1.5, Number.NaN, 2 ** 21]) {
    assert.throws(() => new BpeTrainer({ vocabSize }), refusal(/vocabulary size/));
  }
  for (const characterCoverage of [0, 1.1, Number.NaN]) {
    assert.throws(() => new BpeTrainer({ vocabSize: 10, characterCoverage }), refusal(/character coverage/));
  }
  for (const lines of [[], [''], ['  ', '\u200b'], ['x'.repeat(5000)]]) {
    assert.throws(() => train({ vocabSize: 100 }, lines), refusal(/expected text/));
  }
  assert.throws(() => train({ vocabSize: 7 }, ['a']), refusal(/one of 7 pieces; 6 is the largest/));
  assert.throws(() => train({ vocabSize: 4 }, ['a']), refusal(/at least 5 pieces, 2 of them/));
  assert.throws(() => train({ vocabSize: 4 }, ['\u2581 \u2581']), refusal(/largest|expected text/));
});
