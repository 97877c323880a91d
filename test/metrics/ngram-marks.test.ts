import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { markDifferences, matchedOrders } from '../../src/metrics/ngram-marks.js';
import { NgramMatcher } from '../../src/metrics/ngram-matcher.js';
import { matchNgrams } from '../../src/metrics/ngrams.js';
import { startCpuTime } from '../cpu-time.js';

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');
/** Few words, so that n-grams come back. */
const tokens = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });
const references = fc.array(tokens, { minLength: 1, maxLength: 3 });

/** Marks as a line: words that match here only in brackets, with the longest order. */
function bracketed(marks: ReturnType<typeof markDifferences>['a']): string {
  return marks
    .map(({ text, only, alone }) => (only === 0 ? text : `[${text}${alone ? '!' : ''}${only}]`))
    .join(' ');
}

test('each token has the order of the longest matched n-gram around it', () => {
  const reference = words('the cat sat on the mat today');
  assert.deepEqual(
    matchedOrders(words('a cat sat on the dog today'), [reference]),
    [0, 4, 4, 4, 4, 0, 1], // cat sat on the; today
  );
  assert.deepEqual(matchedOrders(words('a cat sat on the dog today'), [reference], 2), [0, 2, 2, 2, 2, 0, 1]);
});

test('matches are clipped by the reference that has most of an n-gram; the first occurrences match', () => {
  assert.deepEqual(matchedOrders(words('the the the the'), [words('the x the'), words('the')]), [1, 1, 0, 0]);
  assert.deepEqual(matchedOrders(words('a b a b a b'), [words('b a b c a b')]), [2, 3, 3, 3, 0, 1]);
});

test('nothing to compare with, nothing to mark', () => {
  assert.deepEqual(matchedOrders([], [words('a b')]), []);
  assert.deepEqual(matchedOrders(words('a b'), [[]]), [0, 0]);
  assert.deepEqual(markDifferences([], [], [[]]), { a: [], b: [] });
});

test('order 1 marks as many tokens as BLEU counts matches', () => {
  fc.assert(
    fc.property(tokens, references, (hypothesis, refs) => {
      const marked = matchedOrders(hypothesis, refs, 1).filter((order) => order === 1).length;
      assert.equal(marked, matchNgrams(hypothesis, refs, 1, new NgramMatcher()).correct[0]);
    }),
  );
});

test('n-grams that one translation matches and the other does not are marked with the longest order', () => {
  const reference = words('two young men play football in the park');
  const { a, b } = markDifferences(
    words('two young men play chess in the park'),
    words('two old men play football in the park'),
    [reference],
  );
  assert.equal(bracketed(a), '[two4] [young!4] [men4] [play4] chess in the park');
  assert.equal(bracketed(b), 'two old [men4] [play4] [football!4] [in4] [the4] [park4]');
});

test('a moved word is no word of its own, but the n-grams it breaks are marked', () => {
  const { a, b } = markDifferences(words('he came home late'), words('late he came home'), [
    words('he came home late'),
  ]);
  assert.equal(bracketed(a), '[he4] [came4] [home4] [late4]');
  assert.equal(bracketed(b), 'late he came home');
});

test('of a word that is matched once more, the occurrence where the translations part is marked', () => {
  const reference = words('a man in a hat and a dog');
  const { a } = markDifferences(reference, words('a man in hat and a dog'), [reference]);
  assert.deepEqual(
    a.map(({ alone }) => alone),
    [false, false, false, true, false, false, false, false],
  );
});

test('what matches in one translation only is matched, and as often as BLEU would count more of it', () => {
  fc.assert(
    fc.property(tokens, tokens, references, (a, b, refs) => {
      const marked = markDifferences(a, b, refs);
      assert.deepEqual(
        marked.a.map(({ order }) => order),
        matchedOrders(a, refs),
      );
      for (const { order, only, alone } of [...marked.a, ...marked.b]) {
        assert.ok(only <= order);
        assert.ok(!alone || only >= 1);
      }
      const more = [...new Set(a)].reduce((sum, word) => {
        const most = Math.max(...refs.map((reference) => count(reference, word)));
        return sum + Math.max(0, Math.min(count(a, word), most) - Math.min(count(b, word), most));
      }, 0);
      assert.equal(marked.a.filter(({ alone }) => alone).length, more);
      assert.deepEqual(markDifferences(b, a, refs), { a: marked.b, b: marked.a });
      assert.ok(markDifferences(a, a, refs).a.every(({ only }) => only === 0));
    }),
  );
});

test('a translation of any length costs linear time', () => {
  const cycle = Array.from({ length: 40_000 }, (_, i) => `w${i % 7}`);
  const same = new Array<string>(40_000).fill('a');
  const milliseconds = startCpuTime();
  const { a, b } = markDifferences(cycle, same, [cycle, same.slice(1)]);
  assert.ok(milliseconds() < 5000);
  assert.equal(a[20_000].only, 4);
  assert.equal(b[39_999].order, 0);
});

function count(all: readonly string[], word: string): number {
  return all.filter((other) => other === word).length;
}
