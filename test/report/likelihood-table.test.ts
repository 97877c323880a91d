import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLikelihoods, likelihoodFigures } from '../../src/report/likelihood-table.js';

const one = { checkpoint: 'a', sentences: 2, tooLong: 0, tokens: 8, words: 4, logProb: -8 * Math.LN2 };

test('bits and perplexity a token, perplexity a word', () => {
  const { nll_loss, ppl, word_ppl, ...counts } = likelihoodFigures(one);
  assert.deepEqual(counts, { checkpoint: 'a', sentences: 2, tokens: 8, words: 4, logProb: one.logProb });
  assert.equal(nll_loss, 1);
  assert.ok(Math.abs(ppl - 2) < 1e-12 && Math.abs(word_ppl - 4) < 1e-12);
  assert.deepEqual(likelihoodFigures({ ...one, tooLong: 3 }).tooLong, 3);
});

test('a line for the heads, and one for each checkpoint', () => {
  assert.deepEqual(formatLikelihoods([one, { ...one, checkpoint: 'checkpoint_best' }]), [
    'checkpoint       sentences  tokens   log p  nll_loss     ppl  word ppl',
    'a                        2       8  -5.545    1.0000  2.0000    4.0000',
    'checkpoint_best          2       8  -5.545    1.0000  2.0000    4.0000',
  ]);
});
