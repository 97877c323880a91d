import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Phrases } from '../../../src/decode/choice/phrases.js';

const letters = (maxLength: number, minLength = 0) =>
  fc.array(fc.integer({ min: 4, max: 6 }), { minLength, maxLength });
const phrases = fc.array(letters(4, 1), { minLength: 1, maxLength: 3 });

const has = (tokens: readonly number[], phrase: readonly number[]): boolean =>
  `,${tokens},`.includes(`,${phrase},`);

/** Whether phrases come one after the other, each behind the one before. */
function inOrder(tokens: readonly number[], wanted: readonly (readonly number[])[]): boolean {
  const [phrase, ...others] = wanted;
  if (phrase === undefined) return true;
  const ends = [...tokens.keys()].map((i) => i + 1);
  const end = ends.find((i) => String(tokens.slice(Math.max(0, i - phrase.length), i)) === String(phrase));
  return end !== undefined && inOrder(tokens.slice(end), others);
}

describe('phrases that a translation must have', () => {
  test('nothing is missing where all of them are there, whatever lies over what', () => {
    fc.assert(
      fc.property(phrases, letters(12), (wanted, tokens) => {
        const any = new Phrases(wanted);
        assert.equal(
          any.need(any.after(tokens)) === 0,
          wanted.every((phrase) => has(tokens, phrase)),
        );
        const ordered = new Phrases(wanted, true);
        assert.equal(ordered.need(ordered.after(tokens)) === 0, inOrder(tokens, wanted));
      }),
      { seed: 5, numRuns: 1000 },
    );
  });

  test('some next token always needs one less, and none needs two less unless it ends a phrase', () => {
    fc.assert(
      fc.property(phrases, letters(8), fc.boolean(), (wanted, tokens, ordered) => {
        const all = new Phrases(wanted, ordered);
        const progress = all.after(tokens);
        const need = all.need(progress);
        if (need === 0) return assert.deepEqual(all.next(progress), []);
        const needs = all.next(progress).map((token) => all.need(all.advance(progress, token)));
        assert.ok(Math.min(...needs) <= need - 1, `${needs} after ${need}`);
      }),
      { seed: 6, numRuns: 1000 },
    );
  });

  test('a phrase that is asked for twice is one, unless they have an order', () => {
    assert.equal(
      new Phrases([
        [4, 5],
        [4, 5],
      ]).total,
      2,
    );
    assert.equal(
      new Phrases(
        [
          [4, 5],
          [4, 5],
        ],
        true,
      ).total,
      4,
    );
  });

  test('the missing ones by their places', () => {
    const all = new Phrases([[4, 5], [6]]);
    assert.deepEqual(all.missing(all.after([4, 6])), [0]);
  });
});
