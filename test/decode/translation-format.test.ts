import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTranslation, type Translation } from '../../src/decode/translation-format.js';

const BEST = {
  text: 'two dogs',
  tokens: ['▁two', '▁dog', 's', '</s>'],
  logProbs: [-0.5, -0.25, -1, -0.25],
  total: -2,
  score: -0.5,
};
const SECOND = {
  text: 'dogs',
  tokens: ['▁dogs', '</s>'],
  logProbs: [-2.5, -0.1],
  total: -2.6,
  score: -1.3,
};
const FOUND: Translation = {
  index: 6,
  source: 'zwei Hunde',
  sourceTokens: ['▁zwei', '▁Hund', 'e'],
  hypotheses: [BEST, SECOND],
};
const BLANK: Translation = {
  index: 7,
  source: ' ',
  sourceTokens: [],
  hypotheses: [{ text: '', tokens: [], logProbs: [], total: 0, score: 0 }],
};

test('text is the best translation', () => {
  assert.equal(formatTranslation(FOUND, 'text'), 'two dogs\n');
  assert.equal(formatTranslation(BLANK, 'text'), '\n');
});

test('jsonl counts lines from 1 and has natural logarithms', () => {
  assert.deepEqual(JSON.parse(formatTranslation(FOUND, 'jsonl')), {
    line: 7,
    source: 'zwei Hunde',
    hypotheses: [
      { text: 'two dogs', score: -0.5, tokens: BEST.tokens, tokenLogProbs: BEST.logProbs },
      { text: 'dogs', score: -1.3, tokens: SECOND.tokens, tokenLogProbs: SECOND.logProbs },
    ],
  });
  assert.equal(
    formatTranslation(BLANK, 'jsonl'),
    '{"line":8,"source":" ","hypotheses":[{"text":"","score":0,"tokens":[],"tokenLogProbs":[]}]}\n',
  );
});

test('fairseq has its lines and logarithms to base 2', () => {
  // −0.5 / ln 2 and −1.3 / ln 2 in single precision, as Python prints them
  assert.equal(
    formatTranslation(FOUND, 'fairseq'),
    [
      'S-6\t▁zwei ▁Hund e',
      'H-6\t-0.7213475108146667\t▁two ▁dog s',
      'D-6\t-0.7213475108146667\ttwo dogs',
      'P-6\t-0.7213 -0.3607 -1.4427 -0.3607',
      'H-6\t-1.8755035400390625\t▁dogs',
      'D-6\t-1.8755035400390625\tdogs',
      'P-6\t-3.6067 -0.1443',
      '',
    ].join('\n'),
  );
  assert.equal(formatTranslation(BLANK, 'fairseq'), 'S-7\t\nH-7\t0.0\t\nD-7\t0.0\t\nP-7\t\n');
});

test('nbest is the list of Marian', () => {
  assert.equal(
    formatTranslation(FOUND, 'nbest'),
    '6 ||| two dogs ||| F0=-2 ||| -0.5\n6 ||| dogs ||| F0=-2.6 ||| -1.3\n',
  );
  assert.equal(formatTranslation(BLANK, 'nbest'), '7 |||  ||| F0=0 ||| 0\n');
});
