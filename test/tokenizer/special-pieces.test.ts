import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BpeTrainer, type BpeTrainerOptions } from '../../src/tokenizer/index.js';
import { specialPieces } from '../../src/tokenizer/special-pieces.js';
import { refusal } from '../data/scratch.js';

test('the order is that of spm_train: control symbols, user-defined symbols, bytes', () => {
  const pieces = specialPieces({
    controlSymbols: ['<c>', '<b>'],
    userDefinedSymbols: ['x', '<a>'],
    byteFallback: true,
  });
  assert.deepEqual(
    pieces.slice(0, 8).map(({ piece, type }) => `${piece} ${type}`),
    ['<unk> unknown', '<s> control', '</s> control', '<c> control', '<b> control'].concat([
      'x user-defined',
      '<a> user-defined',
      '<0x00> byte',
    ]),
  );
  assert.equal(pieces.length, 7 + 256);
});

test('symbols that cannot be pieces are refused', () => {
  const refused = (options: Partial<BpeTrainerOptions>, pattern: RegExp): void =>
    assert.throws(() => new BpeTrainer({ vocabSize: 400, ...options }), refusal(pattern));
  for (const symbol of ['', 'a b', '\u2581a', 'a\u00a0', 'a\0', '\ud800']) {
    refused({ userDefinedSymbols: [symbol] }, /without white space/);
    refused({ controlSymbols: [symbol] }, /without white space/);
  }
  for (const symbol of ['<unk>', '<s>', '</s>', '<pad>'])
    refused({ userDefinedSymbols: [symbol] }, /not there yet/);
  refused({ userDefinedSymbols: ['<a>', '<a>'] }, /user-defined-symbols: .*not there yet, found '<a>'/);
  refused({ userDefinedSymbols: ['<a>'], controlSymbols: ['<a>'] }, /not there yet, found '<a>'/);
  refused({ userDefinedSymbols: ['<0x41>'], byteFallback: true }, /not there yet, found '<0x41>'/);
  refused({ controlSymbols: ['$'] }, /data\.tokenizer\.control-symbols: .*two characters or more/);
  new BpeTrainer({ vocabSize: 400, userDefinedSymbols: ['<0x41>', '$'] });
});
