import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from '../../src/common/files.js';
import { floatLiteral } from '../../src/metrics/decimal.js';
import {
  BLEU,
  type BleuOptions,
  type BleuScore,
  formatScore,
  getTokenizer,
  type Signature,
  TOKENIZER_NAMES,
  type TokenizerName,
} from '../../src/metrics/sacrebleu.js';

/** What scripts/record-sacrebleu-fixtures.py writes, and how ours is compared with it. */
export interface RecordedBleu {
  corpora: { hypotheses: string[]; references: (string | null)[][] }[];
  cases: RecordedCase[];
}

type RecordedCase = Pick<BleuScore, 'score' | 'bp' | 'ratio' | 'sysLen' | 'refLen'> & {
  corpus: number;
  /** The one segment that was scored; the whole corpus where it is not there. */
  segment?: number;
  options: BleuOptions;
  counts: number[];
  totals: number[];
  precisions: number[];
  signature: string;
  shortSignature: string;
  width: number;
  text: string;
  number: string;
  /** Python's repr of the score in the JSON. */
  jsonScore: string;
};

export type RecordedLine = Record<'line' | 'lower', string> & Record<TokenizerName, string[]>;
export type RecordedDecimal = [value: string, digits: number, text: string];
/** A recorded file; the one key beside `origin` is its name. */
export function readFixture<T>(name: string): T {
  const file = path.join(packageRoot(), 'test/metrics/fixtures', `${name}.json`);
  return JSON.parse(fs.readFileSync(file, 'utf8'))[name];
}

/** Compares every case and gives the largest difference of two scores. */
export function checkBleu({ corpora, cases }: RecordedBleu): number {
  let largest = 0;
  for (const [i, expected] of cases.entries()) {
    const { hypotheses, references } = corpora[expected.corpus];
    const metric = new BLEU(expected.options);
    const { segment } = expected;
    const found =
      segment === undefined
        ? metric.corpusScore(hypotheses, references)
        : metric.sentenceScore(
            hypotheses[segment],
            references.map((stream) => stream[segment]),
          );
    const label = `case ${i}: ${JSON.stringify({ ...expected, ...corpora[expected.corpus] })}`;
    largest = Math.max(largest, checkScore(found, expected, label));
    checkSignature(metric.getSignature(), expected, label);
  }
  return largest;
}

function checkScore(found: BleuScore, expected: RecordedCase, label: string): number {
  for (const key of ['score', 'bp', 'ratio'] as const)
    assertNear(found[key], expected[key], `${key}, ${label}`);
  for (const key of ['counts', 'totals', 'precisions'] as const) {
    assert.equal(found[key].length, expected[key].length, `${key}, ${label}`);
    found[key].forEach((value, n) => {
      assertNear(value, expected[key][n], `${key}[${n}], ${label}`);
    });
  }
  assert.deepEqual([found.sysLen, found.refLen], [expected.sysLen, expected.refLen], label);
  const { width } = expected;
  assert.equal(formatScore(found, { width }), expected.text, label);
  assert.equal(formatScore(found, { width, scoreOnly: true }), expected.number, label);
  const json = formatScore(found, { width, json: true });
  assert.equal(json.split('\n')[2], ` "score": ${expected.jsonScore},`, label);
  return Math.abs(found.score - expected.score);
}

function assertNear(found: number, expected: number, label: string): void {
  const close = Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
  assert.ok(close, `expected ${floatLiteral(expected)}, found ${floatLiteral(found)}: ${label}`);
}

/** Ours is sacreBLEU's but for the end, which says whose number it is. */
function checkSignature(signature: Signature, expected: RecordedCase, label: string): void {
  const foreignEnd = /\|v(ersion)?:[^|]*$/;
  assert.equal(
    signature.format().replace(/\|impl:.*$/, ''),
    expected.signature.replace(foreignEnd, ''),
    label,
  );
  assert.equal(
    signature.format(true).replace(/\|i:.*$/, ''),
    expected.shortSignature.replace(foreignEnd, ''),
    label,
  );
}

/** Compares all tokenizers on every line; gives the number of comparisons. */
export function checkTokenizers(lines: readonly RecordedLine[]): number {
  let compared = 0;
  for (const recorded of lines) {
    assert.equal(recorded.line.toLowerCase(), recorded.lower);
    for (const name of TOKENIZER_NAMES) {
      assert.deepEqual(
        getTokenizer(name)(recorded.line),
        recorded[name],
        `${name}: ${JSON.stringify(recorded.line)}`,
      );
      compared++;
    }
  }
  return compared;
}
