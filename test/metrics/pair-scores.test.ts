import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NgramOverlaps } from '../../src/metrics/ngram-overlaps.js';
import { BLEU, CHRF } from '../../src/metrics/sacrebleu.js';

/** Texts that have much in common, and what texts may be besides. */
const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(fc.constantFrom('a', 'ab', 'ba', 'b,', '.', '(a)', '狗😀'))
      .map((words) => words.join(' ')),
  },
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const texts = fc.array(text, { maxLength: 6 });

test('the scores of texts among each other are those of each pair by itself', () => {
  const metrics = [
    new CHRF(),
    new CHRF({ wordOrder: 2, charOrder: 3, beta: 1 }),
    new CHRF({ epsSmoothing: true, whitespace: true, lowercase: true }),
    new CHRF({ charOrder: 0, wordOrder: 1 }),
    new BLEU(),
    new BLEU({ smoothMethod: 'add-k', maxNgramOrder: 2, lowercase: true }),
    new BLEU({ tokenize: 'zh', smoothMethod: 'floor' }),
  ];
  fc.assert(
    fc.property(texts, fc.constantFrom(...metrics), (given, metric) => {
      const alone = given.map((hypothesis) =>
        given.map(
          (reference) => metric.scoreSegment(metric.extractStatistics(hypothesis, [reference])).score,
        ),
      );
      assert.deepEqual(
        metric.scorePairs(given).map((row) => [...row]),
        alone,
      );
    }),
    { numRuns: 400 },
  );
});

test('what sequences share is counted as often as the one that has less of it has it', () => {
  const sequences = [[1, 2, 1, 2, 1], [1, 2, 1], [], [3, 1, 1]].map((symbols) => Int32Array.from(symbols));
  const overlaps = new NgramOverlaps(sequences, 3);
  const expected: [number, number, number[]][] = [
    [0, 0, [5, 4, 3]],
    [0, 1, [3, 2, 1]],
    [0, 2, [0, 0, 0]],
    [0, 3, [2, 0, 0]],
    [3, 3, [3, 2, 1]],
  ];
  for (const [a, b, shared] of expected) {
    assert.deepEqual(overlaps.shared(a, b), shared);
    assert.deepEqual(overlaps.shared(b, a), shared);
  }
});
