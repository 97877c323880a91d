import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { BOS, Dictionary, EOS, PAD, UNK } from '../../src/data/dictionary.js';
import { fixtures, refusal, scratchFolder, writeFiles } from './scratch.js';

const folder = scratchFolder();
const load = (content: string | Uint8Array): Dictionary =>
  Dictionary.load(path.join(writeFiles(folder, { 'dict.txt': content }), 'dict.txt'));

test('dictionaries of the official code come back byte for byte', () => {
  for (const name of ['joint/dict.en.txt', 'apart/dict.en.txt', 'apart/dict.it.txt']) {
    const file = path.join(fixtures, name);
    const dictionary = Dictionary.load(file);
    const text = readFileSync(file, 'utf8');
    assert.equal(dictionary.serialize(), text);
    assert.equal(dictionary.size % 8, 0);
    // The same counts in another order give the same dictionary again.
    const counts = text
      .trimEnd()
      .split('\n')
      .map((line): [string, number] => [line.split(' ')[0], Number(line.split(' ')[1])])
      .filter(([symbol]) => !symbol.startsWith('madeupword'));
    assert.equal(Dictionary.fromCounts(counts.reverse()).serialize(), text);
  }
});

test('ids: special symbols first, then by count, ties by code points', () => {
  const dictionary = Dictionary.fromCounts([
    ['rare', 0],
    ['b', 3],
    ['\u{1f600}', 3],
    ['\uff5e', 3],
    ['a', 3],
    ['often', 9],
  ]);
  const symbols = Array.from({ length: dictionary.size }, (_, id) => dictionary.symbolOf(id));
  const specials = ['<s>', '<pad>', '</s>', '<unk>'];
  const filling = Array.from({ length: 6 }, (_, i) => `madeupword000${i}`);
  assert.deepEqual(symbols, [...specials, 'often', 'a', 'b', '\uff5e', '\u{1f600}', 'rare', ...filling]);
  symbols.slice(4, 10).forEach((symbol, i) => {
    assert.equal(dictionary.indexOf(symbol), 4 + i);
  });
  assert.deepEqual([BOS, PAD, EOS, UNK], [0, 1, 2, 3]);
  assert.equal(dictionary.indexOf('absent'), UNK);
  assert.equal(dictionary.symbolOf(16), '<unk>');
  assert.equal(dictionary.symbolOf(-1), '<unk>');
  assert.equal(dictionary.countOf(4), 9);
  assert.equal(Dictionary.sizeFor(6), 16);
  assert.equal(Dictionary.sizeFor(4), 8);
});

test('special symbols and filling that stand in a text are unknown', () => {
  const dictionary = Dictionary.fromCounts([['a', 1]]);
  for (const symbol of ['<s>', '<pad>', '</s>', '<unk>', 'madeupword0000', 'madeupword0002']) {
    assert.equal(dictionary.indexOf(symbol), UNK, symbol);
  }
  // Of others: they have counted it, so some text has it.
  assert.equal(load('a 3\nmadeupword0001 1\nmadeupword0002 0\n').indexOf('madeupword0001'), 5);
  assert.equal(load('a 3\n</s> 1\n').indexOf('</s>'), 5);
});

test('filling leaves symbols of that name alone', () => {
  const dictionary = Dictionary.fromCounts([['madeupword0000', 2]]);
  assert.equal(dictionary.indexOf('madeupword0000'), 4);
  assert.equal(
    dictionary.serialize(),
    'madeupword0000 2\nmadeupword0001 0\nmadeupword0002 0\nmadeupword0003 0\n',
  );
});

test('symbols with spaces, duplicates, carriage returns', () => {
  assert.equal(load('a b 3\n').indexOf('a b'), 4);
  const twice = load('a 3\nb 2\na 1\n');
  assert.equal(twice.size, 7);
  assert.equal(twice.indexOf('a'), 6);
  assert.equal(twice.symbolOf(4), 'a');
  assert.equal(load('a 3\r\nb 2\r\n').indexOf('b'), 5);
});

test('a line marked #fairseq:overwrite takes its symbol over, and stays marked', () => {
  const text = 'a 3\nb 2\na 1 #fairseq:overwrite\n<unk> 0 #fairseq:overwrite\n#fairseq:overwrite 4\n';
  const dictionary = load(text);
  const symbols = Array.from({ length: dictionary.size }, (_, id) => dictionary.symbolOf(id));
  assert.deepEqual(symbols.slice(4), ['a', 'b', 'a', '<unk>', '#fairseq:overwrite']);
  assert.deepEqual(
    ['a', 'b', '<unk>', 'absent'].map((symbol) => dictionary.indexOf(symbol)),
    [6, 5, 7, UNK],
  );
  assert.equal(dictionary.countOf(6), 1);
  assert.equal(dictionary.serialize(), text);
  assert.equal(load('a 3 #fairseq:overwrite  \r\n').serialize(), 'a 3 #fairseq:overwrite\n');
  assert.throws(() => load('a #fairseq:overwrite\n'), refusal(/dict\.txt:1: .*symbol count/));
  assert.throws(() => load('a 3 #fairseq:other\n'), refusal(/dict\.txt:1: .*symbol count/));
});

test('counts and lines beyond measure are refused', () => {
  assert.throws(() => load(`a ${'9'.repeat(30)}\n`), refusal(/dict\.txt:1: /));
  assert.throws(() => load('a 1\n'.repeat(2 ** 22 + 1)), refusal(/found 4194305 lines, of at most 4194304/));
});

test('garbage is refused with file and line', () => {
  assert.throws(() => load('a 3\nb\n'), refusal(/dict\.txt:2: .*symbol count.*'b'/));
  assert.throws(() => load('a x\n'), refusal(/dict\.txt:1: /));
  assert.throws(() => load(' 3\n'), refusal(/dict\.txt:1: /));
  assert.throws(() => load('a 3\n\nb 2\n'), refusal(/dict\.txt:2: /));
  assert.throws(() => load(''), refusal(/dict\.txt: .*empty/));
  assert.throws(() => load(Buffer.alloc(64, 0xff)), refusal(/dict\.txt: .*UTF-8/));
  assert.throws(() => Dictionary.load(path.join(folder, 'absent')), refusal(/absent: no such file/));
});
