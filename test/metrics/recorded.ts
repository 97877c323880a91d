import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { packageRoot } from '../../src/common/files.js';
import { floatLiteral } from '../../src/metrics/decimal.js';
import {
  BLEU,
  CHRF,
  formatScore,
  getTokenizer,
  type Metric,
  type References,
  type Score,
  type Signature,
  TER,
  TOKENIZER_NAMES,
  type TokenizerName,
} from '../../src/metrics/sacrebleu.js';
import { tercomTokenizer } from '../../src/metrics/tokenizers/tercom.js';

/** What scripts/record-sacrebleu-fixtures.py writes, and how ours is compared with it. */
export interface RecordedScores {
  corpora: { hypotheses: string[]; references: (string | null)[][] }[];
  cases: RecordedCase[];
}

interface RecordedCase {
  corpus: number;
  metric: keyof typeof METRICS;
  options: object;
  /** The one segment that was scored; the whole corpus where it is not there. */
  segment?: number;
  name: string;
  score: number;
  /** The score of the same statistics in single precision, as numpy 2 computes it. */
  single?: number;
  signature: string;
  shortSignature: string;
  width: number;
  text: string;
  number: string;
  /** Python's repr of the score in the JSON. */
  jsonScore: string;
}

const METRICS = { BLEU, CHRF, TER };
/** What is recorded of each score beside the number itself; all of it numbers or lists of numbers. */
const FACTS = {
  BLEU: ['bp', 'ratio', 'sysLen', 'refLen', 'counts', 'totals', 'precisions'],
  CHRF: ['charOrder', 'wordOrder', 'beta'],
  TER: ['numEdits', 'refLength'],
};

export type RecordedLine = Record<'line' | 'lower', string> &
  Record<TokenizerName, string[]> & {
    /** By the names of the options that are set, with a plus between them. */
    tercom: Record<string, string[]>;
  };
export type RecordedDecimal = [value: string, digits: number, text: string];

/** A recorded file; the one key beside `origin` is its name. */
export function readFixture<T>(name: string): T {
  const file = path.join(packageRoot(), 'test/metrics/fixtures', `${name}.json`);
  return JSON.parse(fs.readFileSync(file, 'utf8'))[name];
}

/** Compares every case and tells how many there were of each metric, and the largest difference of two scores. */
export function checkScores({ corpora, cases }: RecordedScores): string {
  const largest = { BLEU: 0, CHRF: 0, TER: 0 };
  const counts = { BLEU: 0, CHRF: 0, TER: 0 };
  for (const [i, expected] of cases.entries()) {
    const { hypotheses, references } = corpora[expected.corpus];
    const metric = new METRICS[expected.metric](expected.options);
    const label = `case ${i}: ${JSON.stringify({ ...expected, ...corpora[expected.corpus] })}`;
    const difference = checkCase(metric, hypotheses, references, expected, label);
    largest[expected.metric] = Math.max(largest[expected.metric], difference);
    counts[expected.metric]++;
  }
  return `cases ${JSON.stringify(counts)}, largest difference of a score ${JSON.stringify(largest)}`;
}

function checkCase(
  metric: Metric,
  hypotheses: readonly string[],
  references: readonly References[],
  expected: RecordedCase,
  label: string,
): number {
  const { segment } = expected;
  const column = (i: number) => references.map((stream) => stream[i]);
  const found =
    segment === undefined
      ? metric.corpusScore(hypotheses, references)
      : metric.sentenceScore(hypotheses[segment], column(segment));
  checkScore(found, expected, label);
  checkSignature(metric.getSignature(), expected, label);

  const pieces = metric.startCorpus();
  for (const [i, hypothesis] of hypotheses.entries()) {
    if (segment === undefined || segment === i) pieces.add(hypothesis, column(i));
  }
  checkSingle(metric, pieces.statistics, expected, label);
  return Math.abs(found.score - expected.score);
}

function checkScore(found: Score, expected: RecordedCase, label: string): void {
  assert.equal(found.name, expected.name, label);
  for (const key of ['score', ...FACTS[expected.metric]]) {
    const numbers = [found, expected].map((facts) =>
      [(facts as unknown as Record<string, number[]>)[key]].flat(),
    );
    assert.equal(numbers[0].length, numbers[1].length, `${key}, ${label}`);
    numbers[0].forEach((value, n) => {
      assertNear(value, numbers[1][n], 1e-9, `${key}[${n}], ${label}`);
    });
  }
  const { width } = expected;
  assert.equal(formatScore(found, { width }), expected.text, label);
  assert.equal(formatScore(found, { width, scoreOnly: true }), expected.number, label);
  const json = formatScore(found, { width, json: true });
  assert.equal(json.split('\n')[2].replace(/,$/, ''), ` "score": ${expected.jsonScore}`, label);
}

/** A single-precision score is the same number; the one of BLEU, which is none, almost. */
function checkSingle(
  metric: Metric,
  statistics: readonly number[],
  { single }: RecordedCase,
  label: string,
): void {
  if (single === undefined) return;
  const score = metric.rawScore(Float32Array.from(statistics), Math.fround);
  assertNear(score, single, metric.isSingle(score) ? 0 : 1e-12, `single precision, ${label}`);
}

function assertNear(found: number, expected: number, tolerance: number, label: string): void {
  const close = Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected));
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
  const check = (name: string, line: string, found: string[], expected: string[]) => {
    assert.deepEqual(found, expected, `${name}: ${JSON.stringify(line)}`);
    compared++;
  };
  for (const recorded of lines) {
    const { line } = recorded;
    assert.equal(line.toLowerCase(), recorded.lower);
    for (const name of TOKENIZER_NAMES) check(name, line, getTokenizer(name)(line), recorded[name]);
    for (const [names, tokens] of Object.entries(recorded.tercom)) {
      const options = Object.fromEntries(names.split('+').map((name) => [name, true]));
      check(`tercom ${names}`, line, tercomTokenizer(options)(line), tokens);
    }
  }
  return compared;
}
