import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../../src/common/errors.js';
import { BLEU, corpusBleu, sentenceBleu, TOKENIZER_NAMES } from '../../src/metrics/sacrebleu.js';

const word = fc.constantFrom('a', 'b', 'c', 'dé', '。', '1,5', 'x-y', '“q”', '漢字', '😀', '\u0085', 'Σ');
const sentence = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '));
const segment = fc.record({
  hypothesis: sentence,
  references: fc.array(sentence, { minLength: 2, maxLength: 2 }),
});
const corpus = fc.array(segment, { minLength: 1, maxLength: 8 });
const tokenize = fc.constantFrom(...TOKENIZER_NAMES);

type Segment = { hypothesis: string; references: string[] };
const score = (segments: readonly Segment[], metric: BLEU) =>
  metric.corpusScore(
    segments.map((s) => s.hypothesis),
    [0, 1].map((k) => segments.map((s) => s.references[k])),
  );

describe('a corpus', () => {
  test('that is its own reference scores 100', () => {
    const full = fc.array(
      word.filter((w) => w.trim() !== '' && w !== '\u0085'),
      { minLength: 4, maxLength: 12 },
    );
    fc.assert(
      fc.property(fc.array(full, { minLength: 1 }), tokenize, (sentences, name) => {
        const lines = sentences.map((words) => words.join(' '));
        const { score, bp, precisions } = corpusBleu(lines, [lines], { tokenize: name });
        assert.ok(Math.abs(score - 100) < 1e-9, `${score}`);
        assert.deepEqual([bp, ...precisions], [1, 100, 100, 100, 100]);
      }),
    );
  });

  test('scores the same in any order of its segments', () => {
    fc.assert(
      fc.property(
        corpus.chain((segments) =>
          fc.tuple(fc.constant(segments), fc.shuffledSubarray(segments, { minLength: segments.length })),
        ),
        ([segments, shuffled]) => {
          assert.deepEqual(score(shuffled, new BLEU()), score(segments, new BLEU()));
        },
      ),
    );
  });

  test('scores the same with its references in any order', () => {
    fc.assert(
      fc.property(corpus, (segments) => {
        const swapped = segments.map((s) => ({ ...s, references: [...s.references].reverse() }));
        assert.deepEqual(score(swapped, new BLEU()), score(segments, new BLEU()));
      }),
    );
  });

  test('scored piece by piece equals the whole, and its statistics are the sums of its segments', () => {
    fc.assert(
      fc.property(corpus, tokenize, (segments, name) => {
        const metric = new BLEU({ tokenize: name });
        const pieces = metric.startCorpus();
        const sum = new Array<number>(10).fill(0);
        for (const { hypothesis, references } of segments) {
          pieces.add(hypothesis, references).forEach((value, i) => {
            sum[i] += value;
          });
        }
        assert.deepEqual(pieces.statistics, sum);
        assert.deepEqual(pieces.score(), score(segments, metric));
        assert.deepEqual(metric.scoreStatistics(sum), pieces.score());
      }),
    );
  });

  test('scores between 0 and 100', () => {
    fc.assert(
      fc.property(corpus, (segments) => {
        const found = score(segments, new BLEU()).score;
        assert.ok(found >= 0 && found < 100 + 1e-9, `${found}`);
      }),
    );
  });
});

describe('misuse', () => {
  const refuses = (act: () => unknown, message: RegExp) =>
    assert.throws(act, (error) => error instanceof UserError && message.test(error.message));

  test('unequal numbers of segments are refused with both numbers', () => {
    refuses(
      () => corpusBleu(['a', 'b'], [['a', 'b'], ['a']]),
      /references\[1\].*2 hypotheses and 1 references/s,
    );
  });

  test('a corpus without segments and a segment without reference are refused', () => {
    refuses(() => corpusBleu([], [[]]), /at least one segment/);
    refuses(() => corpusBleu(['a', 'b'], [['a', null]]), /none for segment 2/);
    refuses(() => sentenceBleu('a', []), /at least one reference/);
  });

  test('there is no signature before a score', () => {
    refuses(() => new BLEU().getSignature(), /nothing has been scored/);
  });
});
