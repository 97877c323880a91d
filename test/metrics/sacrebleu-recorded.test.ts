import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatFixed } from '../../src/metrics/decimal.js';
import {
  checkScores,
  checkTokenizers,
  type RecordedDecimal,
  type RecordedLine,
  type RecordedScores,
  readFixture,
} from './recorded.js';
import { checkSignificance, type RecordedSignificance } from './recorded-significance.js';

describe('recorded results of sacreBLEU 2.6.0', () => {
  test('scores: doubles to 1e-9, single precision to the bit, printed text and signature to the letter', (t) => {
    const recorded = readFixture<RecordedScores>('scores');
    assert.ok(recorded.cases.length >= 500 && recorded.cases.every(({ single }) => single !== undefined));
    t.diagnostic(checkScores(recorded));
  });

  test('intervals and p-values: what is printed, to the letter', (t) => {
    t.diagnostic(checkSignificance(readFixture<RecordedSignificance[]>('significance')));
  });

  test('tokenizers: the same tokens', (t) => {
    t.diagnostic(`${checkTokenizers(readFixture<RecordedLine[]>('tokenizers'))} tokenized lines`);
  });

  test('decimals: rounded as Python rounds, ties to even', () => {
    for (const [value, digits, text] of readFixture<RecordedDecimal[]>('decimals')) {
      assert.equal(formatFixed(Number(value), digits), text, `${value} with ${digits} decimals`);
    }
  });
});
