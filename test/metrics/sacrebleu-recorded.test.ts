import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatFixed } from '../../src/metrics/decimal.js';
import {
  checkBleu,
  checkTokenizers,
  type RecordedBleu,
  type RecordedDecimal,
  type RecordedLine,
  readFixture,
} from './recorded.js';

describe('recorded results of sacreBLEU 2.6.0', () => {
  test('BLEU: doubles to 1e-9, printed text and signature to the letter', (t) => {
    const recorded = readFixture<RecordedBleu>('bleu');
    assert.ok(recorded.cases.length >= 200);
    const largest = checkBleu(recorded);
    t.diagnostic(`${recorded.cases.length} cases, largest difference of a score ${largest}`);
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
