import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { canonicalHash } from '../../common/canonical-hash.js';
import { formatDuration } from '../../common/duration.js';
import { InterruptedError, UserError, userErrorOf } from '../../common/errors.js';
import { removeLeftovers } from '../../common/leftovers.js';
import { log } from '../../common/log.js';
import type { Override, Setting } from '../../config/override.js';
import type { SweepPlan } from '../../config/sweep-plan.js';
import type { SweepReport } from '../../report/sweep-results.js';
import { ensureDataset } from '../preprocess/preprocess.js';
import { lockSweep } from '../runs/lock.js';
import { type CellOutcome, CellRunner } from './cell.js';
import { figuresOf, openCell, plateauOf } from './figures.js';
import { complainOfFailures, describeOutcome } from './outcome.js';
import { type Cell, expandPlan, shortLabels } from './plan.js';
import { SweepProgress } from './progress.js';
import { type CellRecord, readSweepRecord, type SweepRecord, writeSweepRecord } from './record.js';
import { reportSweep, type SweepReporting } from './report.js';
import { readTest, translationFile } from './test-text.js';

export interface SweepOptions extends SweepReporting {
  /** The folder of the sweep. */
  readonly output: string;
  /** Cells at a time. */
  readonly jobs: number;
  /** Run cells again that have failed. */
  readonly retryFailed: boolean;
  /** Show no progress. */
  readonly quiet: boolean;
}

/**
 * `admin-nmt sweep`: trains every cell of a plan into a folder of its own, and reports. Cells that are finished are
 * left alone, interrupted ones go on.
 *
 * @param settings of the command line, for all cells
 * @throws UserError before anything starts for what is wrong with the plan or any config, and at the end where cells
 *   have failed; InterruptedError after a signal, when every training is saved
 */
export async function sweep(
  plan: SweepPlan,
  settings: readonly Setting[],
  options: SweepOptions,
): Promise<SweepReport> {
  const folder = options.output;
  const { cells, before } = cellsOf(plan, settings, folder);
  const unlock = lockSweep(folder);
  try {
    removeLeftovers(folder, true);
    const record = recordOf(plan, cells, before);
    await new Sweep(cells, record, options).run();
    const report = await reportSweep(folder, record, options);
    complainOfFailures(folder, record);
    return report;
  } finally {
    unlock();
  }
}

/** Reports of what a sweep has done so far; it may be under way. @throws UserError where there is none */
export async function reportOnly(folder: string, reporting: SweepReporting = {}): Promise<SweepReport> {
  const record = readSweepRecord(folder);
  if (record === null) {
    throw new UserError({
      problem: 'expected the folder of a sweep, found no sweep.json in it',
      where: folder,
      hint: 'Give the folder that admin-nmt sweep was given as --output.',
    });
  }
  return await reportSweep(folder, record, reporting);
}

/**
 * `admin-nmt sweep --dry-run`: the cells of a plan, and how each of them has ended, or that it is still to do.
 *
 * @throws UserError for what is wrong with the plan or any config
 */
export function listCells(
  plan: SweepPlan,
  settings: readonly Setting[],
  { output, retryFailed }: Pick<SweepOptions, 'output' | 'retryFailed'>,
): { name: string; state: string }[] {
  const { cells, before } = cellsOf(plan, settings, output);
  const known = new Map(before?.cells.map((cell) => [cell.name, cell]));
  return cells.map((cell) => {
    const found = known.get(cell.name);
    return { name: cell.name, state: isDue(found, cell, { retryFailed }) ? 'to do' : found!.end! };
  });
}

/** The cells of a plan, and what is known of a sweep in the folder. */
function cellsOf(plan: SweepPlan, settings: readonly Setting[], folder: string) {
  const { cells, warnings } = expandPlan(plan, settings, folder);
  for (const warning of warnings) log.warn(warning);
  return { cells, before: readSweepRecord(folder) };
}

/** Whether a cell is to be trained, or trained on. */
function isDue(
  found: CellRecord | undefined,
  { hash }: Cell,
  { retryFailed }: Pick<SweepOptions, 'retryFailed'>,
): boolean {
  if (found === undefined || found.hash !== hash || found.end === null) return true;
  return found.end === 'failed' && retryFailed;
}

/** The record to go on with: what is known of the cells of the plan. */
function recordOf(
  { files, set, test, cells: listed }: SweepPlan,
  cells: readonly Cell[],
  before: SweepRecord | null,
): SweepRecord {
  const known = new Map(before?.cells.map((cell) => [cell.name, cell]));
  const records = cells.map((cell): CellRecord => {
    const { name, group, seed, settings, hash } = cell;
    const found = known.get(name);
    known.delete(name);
    const own = { name, group, seed, settings: Object.fromEntries(settings) };
    if (found?.hash === hash) return { ...found, ...own };
    return { ...own, hash, end: null, message: null, unigram: null, figures: null };
  });
  if (known.size > 0) {
    log.info(`Not in the plan any more, their folders stay: ${[...known.keys()].join('; ')}`);
  }
  const axes = Object.fromEntries(shortLabels([...cells[0].settings.keys()]));
  return { files, set: valuesOf(set), test, listed: listed.length > 0, axes, cells: records };
}

function valuesOf(set: readonly Override[]): Record<string, unknown> {
  return Object.fromEntries(set.map(({ path: key, value }) => [key, JSON.parse(value)]));
}

/** The cells of a plan on their way to the end. */
class Sweep {
  private readonly cells: readonly Cell[];
  private readonly record: SweepRecord;
  private readonly options: SweepOptions;
  private readonly runner: CellRunner;
  private progress: SweepProgress | undefined;
  private received: 'SIGINT' | 'SIGTERM' | undefined;
  /** Seconds of the cells that this process has run. */
  private readonly took: number[] = [];

  constructor(cells: readonly Cell[], record: SweepRecord, options: SweepOptions) {
    this.cells = cells;
    this.record = record;
    this.options = options;
    const shared = Math.max(1, Math.floor(availableParallelism() / options.jobs));
    const chosen = cells.some(({ config }) => config.threads !== null);
    this.runner = new CellRunner(options.output, options.jobs === 1 || chosen ? null : shared);
  }

  async run(): Promise<void> {
    const { options, record } = this;
    const due = this.cells.filter((cell, i) => isDue(record.cells[i], cell, options) || this.lacksTest(i));
    const finished = this.cells.length - due.length;
    log.info(
      `${this.cells.length} ${this.cells.length === 1 ? 'cell' : 'cells'}${finished === 0 ? '' : `, ${finished} of them finished`}`,
    );
    if (due.length === 0) return;
    await this.prepare(due);
    writeSweepRecord(options.output, record);
    const listeners = this.listen();
    const { output, quiet } = options;
    this.progress = quiet ? undefined : new SweepProgress(output, this.cells.length, finished);
    try {
      const queue = due.values(); // shared: each worker takes the next
      await Promise.all(Array.from({ length: options.jobs }, () => this.work(queue)));
    } finally {
      this.progress?.stop();
      for (const [signal, listener] of listeners) process.off(signal, listener);
    }
    writeSweepRecord(output, record); // here it has to be written
    if (this.received !== undefined) throw this.interruption();
  }

  /** Whether a cell that is trained has no translation of the test text, which is wanted. */
  private lacksTest(i: number): boolean {
    const { end, name } = this.record.cells[i];
    return (
      this.record.test && end === 'done' && !existsSync(translationFile(path.join(this.options.output, name)))
    );
  }

  /** Makes each dataset, once, and finds its unigram plateau. */
  private async prepare(due: readonly Cell[]): Promise<void> {
    const plateaus = new Map<string, number>();
    const made = new Set<string>();
    for (const { config, name } of due) {
      const { data, train, model } = config;
      if (!made.has(data.destdir)) await ensureDataset(config);
      made.add(data.destdir);
      const key = canonicalHash([data, train.labelSmoothing, model.shareEmbeddings]);
      if (!plateaus.has(key)) {
        plateaus.set(key, plateauOf(config));
        if (this.record.test) await readTest(config);
      }
      this.recordNamed(name).unigram = plateaus.get(key)!;
    }
  }

  private async work(queue: Iterable<Cell>): Promise<void> {
    for (const cell of queue) {
      if (this.received !== undefined) return;
      await this.runCell(cell);
    }
  }

  private async runCell(cell: Cell): Promise<void> {
    const { options } = this;
    const own = this.recordNamed(cell.name);
    const started = performance.now();
    const place = `[${this.cells.indexOf(cell) + 1}/${this.cells.length}] ${cell.name}`;
    log.info(`${place}: ${own.end === 'done' ? 'translating' : 'training'}`);
    this.progress?.begin(cell);
    const outcome = await this.outcomeOf(cell, own);
    this.progress?.end(cell);
    own.end = outcome.end;
    own.message = outcome.message;
    own.figures = figuresOf(openCell(path.join(options.output, cell.name), cell.name), own);
    this.save();
    this.took.push((performance.now() - started) / 1000);
    log.info(`${place}: ${describeOutcome(own)}${this.remaining()}`);
  }

  /** What the system refuses for one cell does not end the others. */
  private async outcomeOf(cell: Cell, { end }: CellRecord): Promise<CellOutcome> {
    try {
      const trained = end === 'done' ? { end, message: null } : await this.runner.train(cell);
      return trained.end === 'done' && this.record.test ? await this.runner.translate(cell) : trained;
    } catch (error) {
      const [message] = userErrorOf(error).message.split('\n');
      return { end: 'failed', message };
    }
  }

  /** Writes what is known of the cells: all of it each time, so that one that is refused is made good by the next. */
  private save(): void {
    try {
      writeSweepRecord(this.options.output, this.record);
    } catch (error) {
      log.warn(`What is known of the cells is kept for later: ${userErrorOf(error).message}`);
    }
  }

  /** Time that the cells left will take if they are like those before. */
  private remaining(): string {
    const left = this.record.cells.filter(({ end }) => end === null).length;
    if (left === 0 || this.received !== undefined) return '';
    const mean = this.took.reduce((sum, seconds) => sum + seconds, 0) / this.took.length;
    return ` · ${left} left, about ${formatDuration((mean * left) / Math.min(left, this.options.jobs))}`;
  }

  private recordNamed(name: string): CellRecord {
    return this.record.cells.find((cell) => cell.name === name)!;
  }

  /** SIGINT, SIGTERM and SIGHUP go to the trainings, which save and end; once more ends them at once. */
  private listen(): [NodeJS.Signals, (signal: NodeJS.Signals) => void][] {
    const stop = (name: NodeJS.Signals): void => {
      const signal = name === 'SIGINT' ? 'SIGINT' : 'SIGTERM';
      if (this.received === undefined)
        log.warn(`${signal}: the trainings save and end. Once more ends them at once.`);
      this.received ??= signal;
      this.runner.signal(signal);
    };
    const listeners = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(
      (signal): [NodeJS.Signals, typeof stop] => [signal, stop],
    );
    for (const [signal, listener] of listeners) process.on(signal, listener);
    return listeners;
  }

  private interruption(): InterruptedError {
    const done = this.record.cells.filter(({ end }) => end !== null).length;
    const total = this.cells.length;
    return new InterruptedError(
      this.received!,
      `Interrupted: ${done} of ${total} cells are at their end. The same command goes on.`,
    );
  }
}
