import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BpeSegmenter } from '../../src/tokenizer/bpe-segmenter.js';
import type { Piece } from '../../src/tokenizer/piece.js';
import { Vocabulary } from '../../src/tokenizer/vocabulary.js';

/** Pieces of a few characters, some of equal score; `d` is in a piece, but has none of its own. */
function vocabularyOf(texts: readonly string[]): Vocabulary {
  const pieces = texts.map((piece, i): Piece => ({ piece, score: -Math.floor(i / 2), type: 'normal' }));
  const unknown: Piece = { piece: '<unk>', score: 0, type: 'unknown' };
  return new Vocabulary({ pieces: [unknown, ...pieces], byteFallback: false });
}

test('words are segmented into the ids of the pieces that text is segmented into', () => {
  const vocabulary = vocabularyOf([
    ...['ab', 'ba', 'bc', 'aa', 'abc', 'cd', 'aab', 'cab', 'abab', '😀a', 'a😀a'],
    ...['a', 'b', 'c', '😀'],
  ]);
  const segmenter = new BpeSegmenter(vocabulary);
  let [known, unknown] = [0, 0];
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c', 'd', '😀', 'ab'), { maxLength: 70 }),
      fc.boolean(),
      (parts, withD) => {
        const text = parts.filter((part) => withD || part !== 'd').join('');
        const expected = segmenter.segment(text).map((piece) => vocabulary.idOf(piece));
        const ids = segmenter.ids(text);
        const isShort = [...text].length <= 64;
        assert.equal(ids !== undefined, isShort && !expected.includes(vocabulary.unknownId), text);
        if (ids !== undefined) assert.deepEqual([...ids], expected, text);
        if (ids === undefined) unknown++;
        else known++;
      },
    ),
    { numRuns: 2000, seed: 3 },
  );
  assert.ok(known > 100 && unknown > 100, `${known} known, ${unknown} unknown`);
});

test('a piece that stands for something else than its text is left to the way of text', () => {
  const pieces: Piece[] = [
    { piece: '<unk>', score: 0, type: 'unknown' },
    { piece: 'a', score: 0, type: 'normal' },
    { piece: 'ab', score: 0, type: 'normal' },
  ];
  const other = (piece: Piece): BpeSegmenter =>
    new BpeSegmenter(new Vocabulary({ pieces: [...pieces, piece], byteFallback: false }));
  assert.ok(other({ piece: 'b', score: 0, type: 'normal' }).ids('ab'));
  assert.equal(other({ piece: 'b', score: 0, type: 'user-defined' }).ids('ab'), undefined);
  assert.equal(other({ piece: 'b', score: 0, type: 'unused' }).ids('ab'), undefined);
  assert.equal(other({ piece: 'ab', score: 0, type: 'control' }).ids('ab'), undefined);
});
