import * as fs from 'node:fs';
import * as path from 'node:path';
import { writeFileAtomic } from '../../common/files.js';
import { describeNonFinite } from '../../model/non-finite.js';
import { describePlace } from '../../model/site-names.js';
import { type Advice, adviceFrom } from './advice.js';
import type { Diagnosis, Facts } from './facts.js';

/** Reports of a run that was given up, for programs and for people. */
export const REPORT_FILES = { json: 'divergence.json', text: 'divergence.txt' } as const;

/** Sublayers that the text names. */
const SHOWN = 5;
/** Updates of the history that the text shows. */
const SHOWN_UPDATES = 10;

/** Why training was given up, in a sentence. */
export interface Report {
  summary: string;
  facts: Facts;
}

/** Writes both files. @returns the text */
export function writeReport(runDirectory: string, report: Report): string {
  const advice = adviceFrom(report.facts);
  const text = describeReport(report, advice);
  const { train, model, ...facts } = report.facts;
  const content = { format: 'admin-nmt/divergence', version: 1, summary: report.summary, advice, ...facts };
  writeFileAtomic(path.join(runDirectory, REPORT_FILES.json), `${JSON.stringify(content, null, 1)}\n`);
  writeFileAtomic(path.join(runDirectory, REPORT_FILES.text), text);
  return text;
}

/** Removes the reports of a run that begins anew. */
export function removeReports(runDirectory: string): void {
  for (const name of Object.values(REPORT_FILES)) fs.rmSync(path.join(runDirectory, name), { force: true });
}

/** What was found, in a sentence. */
export function describeDiagnosis({ cause, first, pairs }: Diagnosis): string {
  if (first === null) {
    return `the batch of ${pairs.length} pairs is finite when it is computed again with the same weights and masks`;
  }
  const causes = {
    weight: 'the weights are damaged',
    model: 'another batch fails too, so it is the model',
    batch: 'another batch does not fail, so it is this one',
    unknown: 'there is no other batch to compare with',
  };
  return `the first value that is not finite is in ${describeNonFinite(first)}; ${causes[cause]}`;
}

/** What to do, a line each. */
export function describeAdvice(advice: readonly Advice[]): string[] {
  return advice.map(({ because, change }) => `- ${change}\n    because ${because}`);
}

function describeReport({ summary, facts }: Report, advice: readonly Advice[]): string {
  const { diagnosis } = facts;
  const sections: [string, string[]][] = [
    ['What to do', describeAdvice(advice)],
    ['Batch', diagnosis === null ? [] : [`training pairs ${diagnosis.pairs.join(', ')} (counted from 0)`]],
    ['The last finite updates', describeHistory(facts)],
    ['Sublayers that lean most on their branch', describeDependencies(facts)],
    [
      'Norms of weights and, of one batch, of gradients for each token',
      facts.norms.map(({ part, weight, gradient }) => `${part.padEnd(22)} ${show(weight)} ${show(gradient)}`),
    ],
  ];
  const shown = sections.filter(([, lines]) => lines.length > 0);
  return [
    ...[summary, ...(diagnosis === null ? [] : [describeDiagnosis(diagnosis)])],
    ...shown.map(([title, lines]) => `\n${title}\n${lines.map((line) => `  ${line}`).join('\n')}`),
    '',
  ].join('\n');
}

/** The last finite updates, and the first one after them. */
function describeHistory({ history: { last, nll, gradientNorm } }: Facts): string[] {
  const end = nll.findLastIndex((value, i) => value !== null && gradientNorm[i] !== null) + 2;
  const from = Math.max(0, end - SHOWN_UPDATES);
  const lines = nll.slice(from, end).map((value, i) => {
    const update = last - nll.length + 1 + from + i;
    return `${String(update).padStart(8)} ${show(value)} ${show(gradientNorm[from + i])}`;
  });
  return [`${'update'.padStart(8)} ${'bits'.padStart(10)} ${'gradient'.padStart(10)}`, ...lines];
}

function describeDependencies({ dependencies }: Facts): string[] {
  return dependencies
    .filter(({ dependency }) => Number.isFinite(dependency))
    .toSorted((a, b) => b.dependency - a.dependency)
    .slice(0, SHOWN)
    .map((site) => `${show(site.dependency)}  ${describePlace(site)}`);
}

function show(value: number | null): string {
  return (value === null || !Number.isFinite(value) ? '–' : Number(value.toPrecision(4)).toString()).padStart(
    10,
  );
}
