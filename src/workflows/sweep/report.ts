import * as path from 'node:path';
import { userErrorOf } from '../../common/errors.js';
import { writeFileAtomic } from '../../common/files.js';
import { log } from '../../common/log.js';
import type { Config } from '../../config/schema.js';
import type { Metric } from '../../metrics/sacrebleu.js';
import type { Facts } from '../../report/page-header.js';
import { sweepMarkdown, sweepPage } from '../../report/sweep-page.js';
import type { SweepAxis, SweepCell, SweepGroup, SweepReport } from '../../report/sweep-results.js';
import { DEFINITION, explainVerdicts } from '../../report/verdict.js';
import { configFacts, describeWriting, differingKeys } from '../runs/facts.js';
import type { FoundRun } from '../runs/overview.js';
import { pageOrigin } from '../runs/page-origin.js';
import { curveOf, figuresOf, openCell } from './figures.js';
import { showValue } from './plan.js';
import type { CellRecord, SweepRecord } from './record.js';
import { compareGroups, readTranslated, scoreTest, type Translated, testMetrics } from './test-text.js';

export const REPORT_FILES = { markdown: 'sweep.md', html: 'sweep.html' } as const;

/** Who asks for the reports of a sweep. */
export interface SweepReporting {
  /** The command line, for the pages. */
  readonly args?: readonly string[];
  /** Told once they are written, before it is said of which cells there are none. */
  readonly onReport?: (report: SweepReport) => void;
}

/** Writes both reports of a sweep. @param args of the command line, for the pages */
export async function reportSweep(
  folder: string,
  record: SweepRecord,
  { args, onReport }: SweepReporting,
): Promise<SweepReport> {
  const report = await collectReport(folder, record);
  const origin = pageOrigin(args);
  const [markdown, html] = [REPORT_FILES.markdown, REPORT_FILES.html].map((name) => path.join(folder, name));
  writeFileAtomic(markdown, sweepMarkdown(report, origin));
  writeFileAtomic(html, sweepPage(report, origin));
  onReport?.(report);
  const verdicts = report.groups.flatMap(({ cells }) => cells.map(({ verdict }) => verdict));
  log.info([...explainVerdicts(verdicts), DEFINITION].join('\n'));
  log.info(`Reports: ${markdown}, ${html}`);
  return report;
}

/** A cell with what the report needs beside. */
interface Collected {
  record: CellRecord;
  run: FoundRun | undefined;
  cell: SweepCell;
  translated: Translated | null;
}

/** What the run directories of a sweep tell now; they may be under way. */
export async function collectReport(folder: string, record: SweepRecord): Promise<SweepReport> {
  let metrics: Metric[] | undefined;
  const scored = async (config: Config): Promise<Metric[]> => {
    metrics ??= await testMetrics(config);
    return metrics;
  };
  const collected: Collected[] = [];
  for (const cell of record.cells) collected.push(await collectCell(folder, cell, scored));
  const names = [...new Set(record.cells.map(({ group }) => group))];
  const members = names.map((name) => collected.filter((one) => one.record.group === name));
  const [baseline] = members;
  const groups = members.map((own): SweepGroup => {
    const [{ record: first }] = own;
    return {
      name: first.group,
      values: Object.keys(record.axes).map((key) => showValue(first.settings[key])),
      cells: own.map(({ cell }) => cell),
      unigram: first.unigram,
      significance:
        own === baseline || metrics === undefined
          ? null
          : compareGroups(metrics, translationsOf(baseline), translationsOf(own)),
    };
  });
  const title = path.basename(path.resolve(folder));
  const signatures = metrics?.map((metric) => `${metric.name}: ${metric.getSignature().format()}`) ?? [];
  const facts = factsOf(
    record,
    collected.flatMap(({ run }) => run ?? []),
  );
  return { title, facts, listed: record.listed, axes: axesOf(record), groups, signatures };
}

async function collectCell(
  folder: string,
  record: CellRecord,
  metricsOf: (config: Config) => Promise<Metric[]>,
): Promise<Collected> {
  const { name, seed, message } = record;
  const run = openCell(path.join(folder, name), name);
  const curves = { train: curveOf(run?.lines ?? [], 'train'), valid: curveOf(run?.lines ?? [], 'valid') };
  const config = run?.loaded.config;
  const translated = config === undefined ? null : await translatedOrWarn(path.join(folder, name), config);
  const test = translated === null ? null : scoreTest(await metricsOf(config!), translated);
  return { record, run, translated, cell: { ...figuresOf(run, record), name, seed, message, test, curves } };
}

/** A test text that is not there any more does not end a report. */
async function translatedOrWarn(folder: string, config: Config): Promise<Translated | null> {
  try {
    return await readTranslated(folder, config);
  } catch (error) {
    log.warn(
      `${userErrorOf(error).message}\n  The report leaves the test scores of ${path.basename(folder)} out.`,
    );
    return null;
  }
}

/** What the trainings have in common, and what was varied. */
function factsOf({ axes, cells }: SweepRecord, runs: readonly FoundRun[]): Facts {
  const varied = Object.entries(axes).map(([key, label]) => {
    const values = new Set(cells.map(({ settings }) => showValue(settings[key])));
    return `${label} ${[...values].join(', ')}`;
  });
  const seeds = [...new Set(cells.map(({ seed }) => seed))].join(', ');
  const unlike = differingKeys(runs.map(({ loaded }) => loaded.written)).add('seed');
  const [first] = runs;
  const last = runs.toSorted((a, b) => b.changed.getTime() - a.changed.getTime())[0];
  return [
    ...(first === undefined ? [] : configFacts(first.loaded.config, { varied: unlike })),
    ['Varied', [...varied, `seed ${seeds}`].join('; ')],
    ...(last === undefined ? [] : [['Trained', describeWriting(last.folder, last.changed)] as const]),
  ];
}

function translationsOf(members: readonly Collected[]): Map<number, Translated> {
  return new Map(
    members.flatMap(({ record: { seed }, translated }) =>
      translated === null ? [] : [[seed, translated] as const],
    ),
  );
}

function axesOf({ axes, cells }: SweepRecord): SweepAxis[] {
  return Object.entries(axes).map(([key, label]) => {
    const values = cells.map(({ settings }) => settings[key]);
    const numeric = values.every((value) => typeof value === 'number');
    return { key, label, values: [...new Set(values.map(showValue))], numeric };
  });
}
