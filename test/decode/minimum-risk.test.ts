import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MinimumRisk } from '../../src/decode/minimum-risk.js';
import type { TranslatedHypothesis } from '../../src/decode/translation-format.js';
import { sentenceBleu, sentenceChrf } from '../../src/metrics/sacrebleu.js';

const hypothesis = (text: string, total: number): TranslatedHypothesis => ({
  text,
  total,
  score: total,
  tokens: [],
  logProbs: [],
});

const WORDS = ['the', 'dog', 'dogs', 'plays', 'play', 'snow', 'in', '.', '狗'];
const lists = fc.array(
  fc
    .tuple(
      fc.array(fc.constantFrom(...WORDS), { maxLength: 7 }).map((words) => words.join(' ')),
      fc.integer({ min: -30, max: -1 }),
    )
    .map(([text, total]) => hypothesis(text, total)),
  { minLength: 1, maxLength: 7 },
);

test('a utility is the mean score with each of them as the reference, each alike', () => {
  const scorers = {
    chrf: (text: string, reference: string) => sentenceChrf(text, [reference]).score,
    bleu: (text: string, reference: string) => sentenceBleu(text, [reference]).score,
  };
  fc.assert(
    fc.property(lists, fc.constantFrom('chrf', 'bleu'), (list, utility) => {
      const expected = list.map(
        ({ text }) => list.reduce((sum, other) => sum + scorers[utility](text, other.text), 0) / list.length,
      );
      const ranked = new MinimumRisk(utility, 'en').ranked(list);
      assert.equal(ranked.length, list.length);
      for (const { text, utility } of ranked)
        assert.ok(Math.abs(utility! - expected[list.findIndex((one) => one.text === text)]) < 1e-9);
      const utilities = ranked.map(({ utility }) => utility!);
      assert.deepEqual(
        utilities,
        utilities.toSorted((a, b) => b - a),
      );
    }),
    { numRuns: 200 },
  );
});

test('two that are alike win over the most probable one; equal ones are in the order of their probabilities', () => {
  const list = [
    hypothesis('a cat', -1),
    hypothesis('the dog plays', -1.2),
    hypothesis('the dogs play', -1.3),
    hypothesis('the dogs play', -1.1),
  ];
  const ranked = new MinimumRisk('chrf', 'en').ranked(list);
  assert.deepEqual(
    ranked.map(({ text, total }) => [text, total]),
    [
      ['the dogs play', -1.1],
      ['the dogs play', -1.3],
      ['the dog plays', -1.2],
      ['a cat', -1],
    ],
  );
});

test('BLEU parts words as the language does', () => {
  const list = ['狗在雪里', '狗在雪中', '猫'].map((text) => hypothesis(text, -1));
  const [first] = new MinimumRisk('bleu', 'zh').ranked(list);
  assert.ok(first.utility! > 40, 'characters match');
});

test('utilities are the same in any order of the hypotheses, to the last bit', () =>
  fc.assert(
    fc.property(lists, fc.constantFrom('chrf', 'bleu'), (list, utility) => {
      const texts = list.map(({ text }) => text);
      const risk = new MinimumRisk(utility, 'en');
      assert.deepEqual(risk.utilities(texts.toReversed()).reverse(), risk.utilities(texts));
    }),
    { numRuns: 300 },
  ));
