import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { SCORE_NAMES, type ScoreName, type Scores } from '../../common/validation-figures.js';
import type { Config } from '../../config/schema.js';
import { findParallelText, readPairs } from '../../data/parallel-text.js';
import { readLines } from '../../data/text-source.js';
import { type Metric, pairedTest } from '../../metrics/sacrebleu.js';
import type { Significance, TestResult } from '../../report/sweep-results.js';
import { createMetrics } from '../score/metrics.js';

/** A test text. */
export interface TestText {
  readonly sources: readonly string[];
  readonly references: readonly string[];
}

/** The test text of a cell as its model translates it, and what it should be. */
export interface Translated {
  readonly hypotheses: readonly string[];
  readonly references: readonly string[];
}

/** Where the translation of the test text is in the folder of a cell. */
export function translationFile(folder: string): string {
  return path.join(folder, 'test.hyp');
}

/** Reads `data.test`. @throws UserError where it is not there, or damaged */
export async function readTest({ data }: Config): Promise<TestText> {
  const text = findParallelText(
    path.resolve(data.root, data.test!),
    data.sourceLang,
    data.targetLang,
    'data.test',
  );
  const sources: string[] = [];
  const references: string[] = [];
  for await (const { source, target } of readPairs(text)) {
    sources.push(...source);
    references.push(...target);
  }
  return { sources, references };
}

/** What a cell has translated; null where it has not. */
export async function readTranslated(folder: string, config: Config): Promise<Translated | null> {
  const file = translationFile(folder);
  if (config.data.test === null || !existsSync(file)) return null;
  const { references } = await readTest(config);
  const hypotheses: string[] = [];
  for await (const line of readLines(file)) hypotheses.push(line);
  return hypotheses.length === references.length ? { hypotheses, references } : null;
}

/** The metrics of the scores that validations have, in their order; BLEU as the `score` section has it. */
export async function testMetrics({ data: { targetLang }, score }: Config): Promise<Metric[]> {
  const { tokenize, lowercase, smoothMethod, smoothValue, spmModel } = score;
  const bleu = {
    ...{ targetLang, lowercase, smoothMethod, force: true },
    ...(tokenize === null ? {} : { tokenize }),
    ...(smoothValue === null ? {} : { smoothValue }),
  };
  const options = { bleu, chrf: {}, ter: {}, spmModel: spmModel ?? undefined };
  const made = SCORE_NAMES.map((name) => createMetrics({ ...options, metrics: [name] }));
  return (await Promise.all(made)).flat();
}

export function scoreTest(metrics: readonly Metric[], { hypotheses, references }: Translated): Scores {
  return byName(metrics.map((metric) => metric.corpusScore(hypotheses, [references]).score));
}

/** Values in the order of the scores, by the names of these. */
function byName<T>(values: readonly T[]): Record<ScoreName, T> {
  return Object.fromEntries(SCORE_NAMES.map((name, i) => [name, values[i]])) as Record<ScoreName, T>;
}

/**
 * Paired approximate randomization of two groups: the segments of all seeds that both have, one after another, so that
 * each is paired with the one of the same seed.
 *
 * @returns null where no seed can be compared
 */
export function compareGroups(
  metrics: readonly Metric[],
  baseline: ReadonlyMap<number, Translated>,
  other: ReadonlyMap<number, Translated>,
): (Significance & Record<ScoreName, TestResult>) | null {
  const seeds = [...other.keys()].filter((seed) => sameReferences(baseline.get(seed), other.get(seed)));
  if (seeds.length === 0) return null;
  const pool = (group: ReadonlyMap<number, Translated>, key: keyof Translated): string[] =>
    seeds.flatMap((seed) => group.get(seed)![key]);
  const systems = [baseline, other].map((group) => pool(group, 'hypotheses'));
  const found = pairedTest(systems, metrics, [pool(other, 'references')], { type: 'ar' });
  const tests = found.map(({ results: [, { pValue, finding }] }) => ({ p: pValue!, finding: finding! }));
  return { seeds: seeds.length, ...byName(tests) };
}

function sameReferences(a: Translated | undefined, b: Translated | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.references.length === b.references.length &&
    a.references.every((line, i) => line === b.references[i])
  );
}
