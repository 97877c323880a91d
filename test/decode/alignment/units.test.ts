import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { unitsOf } from '../../../src/decode/alignment/units.js';
import { loadCodec } from '../../../src/decode/load-model.js';
import { splitWords } from '../../../src/metrics/python-text.js';
import { makeDataset, trainedVocabulary } from '../../data/small-dataset.js';

/** As a tokenizer of SentencePiece spells them. */
const spelt = (pieces: readonly string[]): string => pieces.join('').replaceAll('▁', ' ').trimStart();
const of = (...pieces: string[]): number[] => [
  ...unitsOf(pieces, (count) => spelt(pieces.slice(0, count))).wordOf,
];

describe('the word of a piece', () => {
  test('by marks of beginnings, those by themselves too', () => {
    assert.deepEqual(of('▁the', '▁hou', 'se', '.'), [0, 1, 1, 1]);
    assert.deepEqual(of('▁', 'x', '▁', 'y', 'z', '▁'), [0, 0, 1, 1, 1, 1]);
    assert.deepEqual(of('x▁y', 'z'), [1, 1]);
    assert.deepEqual(of(), []);
    assert.deepEqual(of('▁'), [0]);
  });

  test('any text of a trained tokenizer: words in order, each of the pieces that spell it', async () => {
    for (const byteFallback of [false, true]) {
      const vocabulary = trainedVocabulary({ vocabSize: byteFallback ? 275 : 16, byteFallback });
      const data = await makeDataset(['кот дом', 'дом кот я', 'ко ко дом'], ['кот'], { vocabulary });
      const { codec } = loadCodec(data.destdir, data);
      const letters = fc.constantFrom(...'кот дом я  ☃é\u3000▁.\t');
      fc.assert(
        fc.property(fc.string({ unit: letters, maxLength: 20 }), (line) => {
          const pieces = codec.sourcePieces(line);
          const { words, wordOf } = unitsOf(pieces, (n) => codec.sourceText(pieces.slice(0, n)));
          assert.deepEqual(words, splitWords(codec.sourceText(pieces)));
          assert.equal(wordOf.length, pieces.length);
          if (pieces.length === 0) return;
          // Every word has pieces, and they follow one another.
          assert.deepEqual([...new Set(wordOf)], [...words.keys()]);
          if (byteFallback) return;
          words.forEach((word, i) => {
            const own = pieces.filter((_, j) => wordOf[j] === i);
            assert.equal(own.join('').replaceAll('▁', ''), word.replaceAll('▁', ''));
          });
        }),
        { numRuns: 100, seed: 7 },
      );
    }
  });
});
