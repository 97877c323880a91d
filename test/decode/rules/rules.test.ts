import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rulesOf } from '../../../src/decode/rules/rules.js';
import type { Preferences, Wishes } from '../../../src/decode/search-options.js';

const SIZE = 7;
const even = (): Float32Array => new Float32Array(SIZE).fill(-2);

/** What the rules leave of a distribution where all is alike. */
function left(preferences: Preferences, wishes: Partial<Wishes>, tokens: readonly number[]): Float32Array {
  const logProbs = even();
  for (const rule of rulesOf(preferences, wishes)) rule(logProbs, tokens);
  return logProbs;
}

const forbidden = (logProbs: Float32Array): number[] =>
  [...logProbs.keys()].filter((id) => logProbs[id] === Number.NEGATIVE_INFINITY);

const someTokens = fc.array(fc.integer({ min: 3, max: SIZE - 1 }), { maxLength: 12 });

test('a prefix: it alone, with its own probability, then anything', () => {
  assert.deepEqual(forbidden(left({}, { prefix: [4, 5] }, [])), [0, 1, 2, 3, 5, 6]);
  assert.deepEqual(forbidden(left({}, { prefix: [4, 5] }, [4])), [0, 1, 2, 3, 4, 6]);
  assert.equal(left({}, { prefix: [4, 5] }, [4])[5], -2);
  assert.deepEqual(left({}, { prefix: [4, 5] }, [4, 5]), even());
});

test('a prefix is not found fault with: neither repetitions in it nor what is forbidden', () => {
  const logProbs = left(
    { noRepeatNgramSize: 1, repetitionPenalty: 2 },
    { prefix: [4, 4], forbidden: [[4]] },
    [4],
  );
  assert.equal(logProbs[4], -2);
  const later = left(
    { noRepeatNgramSize: 1, repetitionPenalty: 2 },
    { prefix: [4, 4], forbidden: [[4]] },
    [4, 4],
  );
  assert.deepEqual(forbidden(later), [4]);
});

test('no sequence of n tokens twice: exactly what would end one that is there', () => {
  fc.assert(
    fc.property(someTokens, fc.integer({ min: 1, max: 4 }), (tokens, size) => {
      const ngrams = (list: readonly number[]): string[] =>
        list.slice(0, Math.max(0, list.length - size + 1)).map((_, i) => String(list.slice(i, i + size)));
      const before = ngrams(tokens);
      const expected = [...even().keys()].filter((id) => {
        const [last] = ngrams([...tokens, id].slice(-size));
        return last !== undefined && before.includes(last);
      });
      assert.deepEqual(forbidden(left({ noRepeatNgramSize: size }, {}, tokens)), expected);
    }),
    { seed: 3 },
  );
});

test('the repetition penalty: times the log-probability, once for each token that is there', () => {
  assert.deepEqual([...left({ repetitionPenalty: 1.5 }, {}, [4, 6, 4])], [-2, -2, -2, -2, -3, -2, -3]);
});

test('forbidden phrases: exactly the tokens that would end one', () => {
  fc.assert(
    fc.property(
      someTokens,
      fc.array(fc.array(fc.integer({ min: 3, max: SIZE - 1 }), { minLength: 1, maxLength: 3 }), {
        maxLength: 3,
      }),
      (tokens, phrases) => {
        const expected = [...even().keys()].filter((id) =>
          phrases.some((phrase) => `,${[...tokens, id]}`.endsWith(`,${phrase}`)),
        );
        assert.deepEqual(forbidden(left({}, { forbidden: phrases }, tokens)), expected);
      },
    ),
    { seed: 4 },
  );
});

test('where nothing is asked for there is no rule', () => {
  assert.deepEqual(rulesOf({ noRepeatNgramSize: 0, repetitionPenalty: 1 }, { line: 3 }), []);
});
