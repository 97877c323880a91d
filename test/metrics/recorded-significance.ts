import assert from 'node:assert/strict';
import { formatFixed } from '../../src/metrics/decimal.js';
import {
  BLEU,
  CHRF,
  formatScore,
  type Metric,
  type PairedResult,
  pairedTest,
  TER,
} from '../../src/metrics/sacrebleu.js';

/** What scripts/record-sacrebleu-fixtures.py writes of intervals and paired tests, and how ours is compared with it. */
export interface RecordedSignificance {
  seed: number;
  references: string[][];
  systems: string[][];
  width: number;
  resamples: number;
  trials: number;
  options: Record<MetricKind, object>;
  /** Null where sacreBLEU itself fails. */
  confidence: Record<MetricKind, { values: number[]; text: string; signature: string } | null>;
  bs: RecordedColumn[];
  ar: RecordedColumn[];
}

type MetricKind = keyof typeof METRICS;

interface RecordedColumn {
  name: string;
  signature: string;
  /** Score, mean, interval and p-value; null where there is none. */
  results: { values: (number | null)[]; texts: (string | null)[] }[];
}

const METRICS = { BLEU, CHRF, TER };

/** Compares every case and tells how much there was, and the largest difference of two numbers. */
export function checkSignificance(cases: readonly RecordedSignificance[]): string {
  let compared = 0;
  let largest = 0;
  const near = (found: number, expected: number, label: string) => {
    const difference = Math.abs(found - expected);
    assert.ok(
      difference <= 1e-5 * Math.max(1, Math.abs(expected)),
      `expected ${expected}, found ${found}: ${label}`,
    );
    largest = Math.max(largest, difference);
    compared++;
  };
  for (const [i, recorded] of cases.entries()) {
    const label = `case ${i}: ${JSON.stringify(recorded)}`;
    checkConfidence(recorded, label, near);
    for (const type of ['bs', 'ar'] as const) checkPaired(recorded, type, label, near);
  }
  return `${cases.length} corpora, ${compared} numbers, largest difference ${largest}`;
}

type Near = (found: number, expected: number, label: string) => void;

function metricsOf({ options }: RecordedSignificance): Metric[] {
  return (['BLEU', 'CHRF', 'TER'] as const).map((kind) => new METRICS[kind](options[kind]));
}

function checkConfidence(recorded: RecordedSignificance, label: string, near: Near): void {
  const { references, systems, resamples, seed, width } = recorded;
  metricsOf(recorded).forEach((metric, m) => {
    const expected = recorded.confidence[(['BLEU', 'CHRF', 'TER'] as const)[m]];
    if (expected === null) return;
    const score = metric.corpusScore(systems[0], references, { resamples, seed });
    near(score.score, expected.values[0], label);
    near(score.confidence!.mean, expected.values[1], label);
    near(score.confidence!.interval, expected.values[2], label);
    assert.equal(formatScore(score, { width }), expected.text, label);
    assert.equal(ownPart(metric.getSignature().format()), ownPart(expected.signature), label);
  });
}

function checkPaired(recorded: RecordedSignificance, type: 'bs' | 'ar', label: string, near: Near): void {
  const { references, systems, resamples, trials, seed, width } = recorded;
  const samples = type === 'bs' ? resamples : trials;
  const tested = pairedTest(systems, metricsOf(recorded), references, { type, samples, seed });
  recorded[type].forEach(({ name, signature, results }, column) => {
    assert.equal(tested[column].name, name, label);
    assert.equal(ownPart(tested[column].signature.format()), ownPart(signature), label);
    results.forEach(({ values, texts }, system) => {
      const found = numbersOf(tested[column].results[system]);
      found.forEach((number, k) => {
        assert.equal(number === undefined, values[k] === null, label);
        if (number === undefined) return;
        near(number, values[k]!, label);
        assert.equal(formatFixed(number, k === 3 ? 4 : width), texts[k], `${type} ${name} ${k}, ${label}`);
      });
    });
  });
}

function numbersOf({ score, confidence, pValue }: PairedResult): (number | undefined)[] {
  return [score, confidence?.mean, confidence?.interval, pValue];
}

/** What does not name the implementation. */
function ownPart(signature: string): string {
  return signature.replace(/\|(impl|version):.*/, '');
}
