import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FairseqList } from '../../src/decode/fairseq-list.js';
import type { GivenUnit } from '../../src/decode/forced-scores.js';
import { type GivenList, SentenceOrder } from '../../src/decode/given-list.js';
import { JsonlList } from '../../src/decode/jsonl-list.js';
import { MinimumRisk, type Utility } from '../../src/decode/minimum-risk.js';
import { NbestList } from '../../src/decode/nbest-list.js';
import { type RankedSentence, rankedSentences } from '../../src/decode/ranked-list.js';
import { rounded } from '../../src/decode/translation-format.js';
import { sentenceBleu, sentenceChrf } from '../../src/metrics/sacrebleu.js';
import { listCodec } from './given-lists.js';

const HOW = { feature: 'Utility', field: 'utility', tokens: false, lenpen: null };
const make = {
  nbest: () => new NbestList(new SentenceOrder(), listCodec, HOW),
  fairseq: () => new FairseqList(new SentenceOrder(), listCodec, HOW),
  jsonl: () => new JsonlList(new SentenceOrder(), listCodec, HOW),
};

async function rank(list: GivenList, lines: readonly string[], utility: Utility = 'chrf') {
  async function* units(): AsyncGenerator<GivenUnit> {
    for (const [i, text] of lines.entries()) yield* await list.line({ text, where: `list:${i + 1}` });
    yield* list.end();
  }
  const ranked: RankedSentence[] = [];
  for await (const sentence of rankedSentences(units(), new MinimumRisk(utility, 'en')))
    ranked.push(sentence);
  return ranked;
}

const SCORES = {
  chrf: (text: string, reference: string) => sentenceChrf(text, [reference]).score,
  bleu: (text: string, reference: string) => sentenceBleu(text, [reference]).score,
};

/** The text of the greatest mean score to six decimals, of equal ones the first in the order of texts. */
function bruteForce(texts: readonly string[], utility: Utility): string {
  const mean = (text: string) =>
    rounded(texts.reduce((sum, other) => sum + SCORES[utility](text, other), 0) / texts.length);
  const most = Math.max(...texts.map(mean));
  return texts.filter((text) => mean(text) === most).sort()[0];
}

const text = fc
  .array(fc.constantFrom('the', 'dog', 'dogs', 'plays', 'a', '狗', '.'), { minLength: 1, maxLength: 6 })
  .map((words) => words.join(' '));
const sentences = fc.array(fc.array(text, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 });
const utilities = fc.constantFrom<Utility>('chrf', 'bleu');

/** Lines of a list; features tell translations of one text apart. */
const written = {
  nbest: (texts: readonly string[][]) =>
    texts.flatMap((each, n) => each.map((one) => `${n} ||| ${one} ||| F0=-1 ||| 0`)),
  fairseq: (texts: readonly string[][]) =>
    texts.flatMap((each, n) => [
      `S-${n}\tx`,
      ...each.flatMap((one) => [`H-${n}\t-1.0\tx`, `D-${n}\t-1.0\t${one}`, `P-${n}\t-1`, `A-${n}\t0-0`]),
    ]),
  jsonl: (texts: readonly string[][]) =>
    texts.map((each, n) =>
      JSON.stringify({ line: n + 1, source: 'x', hypotheses: each.map((one) => ({ text: one })) }),
    ),
};
const formats = fc.constantFrom('nbest' as const, 'fairseq' as const, 'jsonl' as const);

test('the best is that of brute force, in each format', () =>
  fc.assert(
    fc.asyncProperty(sentences, utilities, formats, async (texts, utility, format) => {
      const ranked = await rank(make[format](), written[format](texts), utility);
      const found = ranked.filter(({ best }) => best !== null);
      assert.deepEqual(
        found.map(({ sentence, best }) => [sentence, best]),
        texts.map((each, n) => [n, bruteForce(each, utility)]),
      );
    }),
    { numRuns: 100 },
  ));

test('the order within a sentence does not matter, and nothing is lost', () =>
  fc.assert(
    fc.asyncProperty(
      sentences,
      utilities,
      formats,
      fc.infiniteStream(fc.nat()),
      async (texts, utility, format, keys) => {
        const shuffled = texts.map((each) =>
          each
            .map((one) => ({ one, key: keys.next().value! }))
            .sort((a, b) => a.key - b.key)
            .map(({ one }) => one),
        );
        const [a, b] = await Promise.all(
          [texts, shuffled].map(async (list) => {
            const ranked = await rank(make[format](), written[format](list), utility);
            return ranked.map(({ written }) => written).join('');
          }),
        );
        assert.equal(a, b);
        for (const one of texts.flat()) assert.ok(a.includes(one));
      },
    ),
    { numRuns: 100 },
  ));

test('of Moses: the highest utility first, as a feature; those of one text are told apart by their lines', async () => {
  const lines = [
    '0 ||| a cat ||| F0=-1 ||| -1',
    '0 ||| the dog ||| F0=-3 ||| -2',
    '0 ||| the dog ||| F0=-2 ||| -3 ||| 0-0',
    '2 ||| x ||| F0=0 ||| 0',
  ];
  const [first, second, ...more] = await rank(make.nbest(), lines);
  const utility = (2 * 100 + SCORES.chrf('the dog', 'a cat')) / 3;
  const shown = String(Math.round(utility * 1e6) / 1e6);
  assert.deepEqual(first.written.split('\n').slice(0, 2), [
    `0 ||| the dog ||| F0=-2 Utility= ${shown} ||| -3 ||| 0-0`,
    `0 ||| the dog ||| F0=-3 Utility= ${shown} ||| -2`,
  ]);
  assert.match(first.written, /\n0 \|\|\| a cat \|\|\| F0=-1 Utility= [\d.]+ \|\|\| -1\n$/);
  assert.deepEqual(second, { sentence: 2, best: 'x', written: '2 ||| x ||| F0=0 Utility= 100 ||| 0\n' });
  assert.deepEqual(more, []);
});

test('of fairseq: lines of a translation move together; scores are utilities, those of tokens stay', async () => {
  const translation = (text: string, p: string) => [
    `H-0\t-1.0\tx`,
    `D-0\t-1.0\t${text}`,
    `P-0\t${p}`,
    `A-0\t${p}-0`,
  ];
  const lines = [
    'S-0\tx',
    ...translation('a cat', '1'),
    ...translation('dogs', '2'),
    ...translation('dogs', '3'),
    'S-1\ty',
  ];
  const [before, first] = await rank(make.fairseq(), lines);
  assert.deepEqual([before.sentence, before.written], [null, 'S-0\tx\n']);
  const rows = first.written.trimEnd().split('\n');
  assert.deepEqual(
    rows.map((row) => row.replace(/\t\d\d\.\d+\t/, '\tU\t')),
    [
      ...['2', '3'].flatMap((p) => ['H-0\tU\tx', 'D-0\tU\tdogs', `P-0\t${p}`, `A-0\t${p}-0`]),
      ...['H-0\tU\tx', 'D-0\tU\ta cat', 'P-0\t1', 'A-0\t1-0', 'S-1\ty'],
    ],
  );
});

test('of jsonl: hypotheses of a record change places; a record of no hypotheses has no best', async () => {
  const lines = [
    JSON.stringify({
      line: 2,
      source: 'x',
      hypotheses: [{ text: 'a' }, { text: 'b', score: 1 }, { text: 'b' }],
      more: 1,
    }),
    JSON.stringify({ line: 3, source: 'y', hypotheses: [] }),
  ];
  const [first, second] = await rank(make.jsonl(), lines);
  const { hypotheses, more } = JSON.parse(first.written);
  assert.deepEqual(
    hypotheses.map(({ text }: { text: string }) => text),
    ['b', 'b', 'a'],
  );
  assert.equal(more, 1);
  assert.deepEqual([first.sentence, first.best, second.sentence, second.best], [1, 'b', 2, null]);
});
