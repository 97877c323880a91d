import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../../src/common/errors.js';
import { CHRF, type ChrfOptions, corpusChrf, sentenceChrf } from '../../src/metrics/sacrebleu.js';

function assertScore(found: number, expected: number): void {
  assert.ok(Math.abs(found - expected) < 1e-4, `expected ${expected}, found ${found}`);
}

// the cases of sacreBLEU's own test/test_chrf.py
describe('chrF as sacreBLEU tests it', () => {
  const risk =
    'risk assessment must be made of those who are qualified and expertise in the sector - these are the scientists .';
  const riskReference =
    'risk assessment has to be undertaken by those who are qualified and expert in that area - that is the scientists .';
  const obamaReference = 'Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich.';

  const corpora = (
    name: string,
    options: ChrfOptions,
    cases: [hypotheses: string[], references: string[], score: number][],
  ) =>
    test(name, () => {
      for (const [hypotheses, references, score] of cases) {
        assertScore(corpusChrf(hypotheses, [references], { beta: 3, ...options }).score, score);
      }
    });

  corpora('with epsilon smoothing', { epsSmoothing: true }, [
    [['abcdefg'], ['hijklmnop'], 0],
    [['a'], ['b'], 0],
    [[''], ['b'], 0],
    [[''], ['ref'], 0],
    [[''], ['reference'], 0],
    [['aa'], ['ab'], 8.3333],
    [['a', 'b'], ['a', 'c'], 8.3333],
    [['a'], ['a'], 16.6667],
    [['a b c'], ['a b c'], 50],
    [['a b c'], ['abc'], 50],
    [[` ${risk}`], [riskReference], 63.36173],
    [
      [' Die    Beziehung zwischen  Obama und Netanjahu ist nicht gerade  freundlich. '],
      [obamaReference],
      64.1302698,
    ],
    [
      ['Niemand hat die Absicht, eine Mauer zu errichten'],
      ['Niemand hat die Absicht, eine Mauer zu errichten'],
      100,
    ],
  ]);

  corpora('over the orders that there are n-grams of', {}, [
    [['a'], ['a'], 100],
    [[''], ['reference'], 0],
    [['a b c'], ['a b c'], 100],
    [['a b c'], ['abc'], 100],
    [[''], ['c'], 0],
    [['a', 'b'], ['a', 'c'], 50],
    [['aa'], ['ab'], 25],
  ]);

  corpora('with white space', { whitespace: true }, [
    [
      ['Die Beziehung zwischen Obama und Netanjahu ist nicht gerade freundlich.'],
      [obamaReference],
      67.3481606,
    ],
    [[risk], [riskReference], 65.2414427],
  ]);

  test('of sentences', () => {
    const cases: [string, string, number][] = [
      [
        'Co nás nejvíc trápí, protože lékaři si vybírají, kdo bude žít a kdo zemře.',
        'Nejvíce smutní jsme z toho, že musíme rozhodovat o tom, kdo bude žít a kdo zemře.',
        39.14078509,
      ],
      [
        'Nebo prostě nemají vybavení, které by jim pomohlo, uvedli lékaři.',
        'A někdy nemáme ani potřebný materiál, abychom jim pomohli, popsali lékaři.',
        31.22557079,
      ],
      [
        'Lapali po dechu, jejich životy skončily dřív, než skutečně začaly.',
        'Lapali po dechu a pak jejich život skončil - dřív, než skutečně mohl začít, připomněli.',
        57.15704367,
      ],
    ];
    for (const [hypothesis, reference, score] of cases) {
      assertScore(sentenceChrf(hypothesis, [reference], { epsSmoothing: true }).score, score);
    }
  });
});

describe('chrF by hand', () => {
  const statistics = (hypothesis: string, reference: string, options: ChrfOptions) =>
    new CHRF(options).extractStatistics(hypothesis, [reference]);

  test('matches are clipped, and an order that the reference has no n-grams of is not counted', () => {
    assert.deepEqual(statistics('aaab', 'aab', { charOrder: 4 }), [4, 3, 3, 3, 2, 2, 2, 1, 1, 0, 0, 0]);
  });

  test('characters are code points', () => {
    assert.deepEqual(statistics('😀😁', '😁😂', { charOrder: 2 }), [2, 2, 1, 1, 1, 0]);
  });

  test('words lose a punctuation mark at their end, or else at their start', () => {
    // (hi  )  hi  !  against  (hi  hi  ,  x
    const words = statistics('(hi) !hi', '(hi hi, x', { charOrder: 0, wordOrder: 1 });
    assert.deepEqual(words, [4, 5, 1]);
  });

  test('the reference with the best score counts, the first of equal ones', () => {
    const metric = new CHRF({ charOrder: 1 });
    assert.deepEqual(metric.extractStatistics('ab', ['cd', 'abc', 'ab']), [2, 2, 2]);
    assert.deepEqual(metric.extractStatistics('ab', ['cde', 'cd']), [2, 3, 0]);
  });

  test('the name tells beta and the orders of words', () => {
    assert.equal(new CHRF().name, 'chrF2');
    assert.equal(new CHRF({ beta: 3, wordOrder: 2 }).name, 'chrF3++');
  });

  test('orders and beta are whole numbers', () => {
    const refuses = (options: ChrfOptions, message: RegExp) =>
      assert.throws(
        () => new CHRF(options),
        (error) => error instanceof UserError && message.test(error.message),
      );
    refuses({ charOrder: -1 }, /chrf-char-order.*0 or more, found -1/s);
    refuses({ wordOrder: 1.5 }, /chrf-word-order.*0 or more, found 1.5/s);
    refuses({ beta: Number.NaN }, /chrf-beta.*0 or more, found NaN/s);
    refuses({ charOrder: 0 }, /found 0 as the largest order of both/);
  });
});

describe('chrF of any text', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom('a', 'b', 'ab', 'a.', '(b', '😀', '\u0085')).map((w) => w.join(' ')),
  );
  const options = fc.record({
    charOrder: fc.integer({ min: 1, max: 7 }),
    wordOrder: fc.integer({ min: 0, max: 3 }),
    lowercase: fc.boolean(),
    whitespace: fc.boolean(),
    epsSmoothing: fc.boolean(),
  });

  test('is between 0 and 100, and 100 of text that is its own reference', () => {
    fc.assert(
      fc.property(text, text, options, (hypothesis, reference, settings) => {
        const { score } = sentenceChrf(hypothesis, [reference], settings);
        assert.ok(score >= 0 && score <= 100 + 1e-9, `${score}`);
        const own = sentenceChrf(`a${hypothesis}`, [`a${hypothesis}`], { ...settings, epsSmoothing: false });
        assert.ok(Math.abs(own.score - 100) < 1e-9, `${own.score}`);
      }),
    );
  });

  test('counts the matches that counting every n-gram by itself finds', () => {
    fc.assert(
      fc.property(text, text, (hypothesis, reference) => {
        const found = new CHRF({ whitespace: true }).extractStatistics(hypothesis, [reference]);
        for (let n = 1; n <= 6; n++) {
          assert.equal(found[3 * n - 1], naiveMatches(Array.from(hypothesis), Array.from(reference), n));
        }
      }),
    );
  });
});

function naiveMatches(hypothesis: readonly string[], reference: readonly string[], n: number): number {
  const ngrams = (characters: readonly string[]) =>
    characters.slice(n - 1).map((_, i) => characters.slice(i, i + n).join(''));
  const left = ngrams(reference);
  return ngrams(hypothesis).filter((ngram) => {
    const at = left.indexOf(ngram);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  }).length;
}
