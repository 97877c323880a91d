import { Buffer } from 'node:buffer';
import { existsSync, truncateSync } from 'node:fs';
import { DamageError, explainFileError } from '../common/errors.js';
import { writeAtomic } from '../common/files.js';
import { GrowingSum, type GrownSum, growOn } from '../common/growing-sum.js';
import { linesOfFile } from '../common/line-blocks.js';
import type { ValidationFigures } from '../common/validation-figures.js';
import type { DoctorEvent } from './doctor/doctor.js';
import { EventLog } from './event-log.js';
import type { TrainFigures } from './meter.js';
import { PatientFile } from './patient-file.js';
import type { TranslationSample } from './validation.js';

/** Where in training a line was written. */
interface Place {
  epoch: number;
  num_updates: number;
  /** Seconds of training so far, those before a resumption included. */
  wall: number;
}

/** A line of metrics.jsonl; docs/train.md explains the keys. */
export type MetricsLine =
  | ({ event: 'train' } & Place & TrainFigures & { lr: number; loss_scale?: number; card_mb?: number })
  | ({ event: 'valid' } & Place &
      ValidationFigures & { best_loss: number; samples?: readonly TranslationSample[] })
  | ({ event: 'doctor' } & Place & DoctorEvent);

export const METRICS_FILE = 'metrics.jsonl';
const WRITTEN_AT_ONCE = 1 << 20;

/** A line as it was read: of this version or of another, so that any key may be absent. */
export interface ReadLine {
  num_updates: number;
  readonly [key: string]: unknown;
}

/** Where the metrics of a run go on. */
export interface MetricsStart {
  updates: number;
  /** What the file was at that point, where the checkpoint says so. */
  metrics?: GrownSum;
}

/** The metrics of a run: one JSON object a line, and the same for TensorBoard where that is wanted. */
export class MetricsLog {
  private readonly lines: PatientFile;
  /** Of what is written. */
  private readonly sum: GrowingSum;
  private readonly events?: EventLog;
  private readonly onLine?: (line: MetricsLine) => void;

  /**
   * @param start where training starts; lines that it did not have yet, which will be written again, are dropped
   * @param eventsFolder where TensorBoard's event files go; without one none are written
   * @param onLine told of every line that is written
   * @throws UserError for a file that cannot be written or holds something else
   */
  constructor(
    file: string,
    start: MetricsStart,
    eventsFolder?: string,
    onLine?: (line: MetricsLine) => void,
  ) {
    this.onLine = onLine;
    const sum = cutBack(file, start);
    this.sum = sum;
    this.lines = new PatientFile(file, 'Metrics', sum.bytes, (bytes) => sum.add(bytes));
    if (eventsFolder !== undefined) this.events = new EventLog(eventsFolder, start.updates + 1);
  }

  /** Adds a line. Where the disk is full it waits with the others for the next one, and a warning says so. */
  write(line: MetricsLine): void {
    this.lines.add(`${JSON.stringify(line)}\n`);
    this.events?.write(line.num_updates, scalarsOf(line));
    this.onLine?.(line);
  }

  /** Writes what is waiting. @returns what the file is then; null where it could not be written */
  flush(): GrownSum | null {
    return this.lines.flush() === null ? null : this.sum.sum;
  }
}

/** Every number of a line but the step, under `train/…` or `valid/…`. */
function scalarsOf({ event, num_updates: _, ...figures }: MetricsLine): Map<string, number> {
  const scalars = new Map<string, number>();
  for (const [key, value] of Object.entries(figures)) {
    if (typeof value === 'number') scalars.set(`${event}/${key}`, value);
  }
  return scalars;
}

/**
 * Leaves of a file the lines that there were at a point. By the updates alone that cannot be told: after the last one a
 * checkpoint may be written before the validation, whose line is then of the same update. Where the file is not as it
 * was, they have to do.
 *
 * @returns the sum of the file then
 */
function cutBack(file: string, { updates, metrics }: MetricsStart): GrowingSum {
  const found = metrics !== undefined && existsSync(file) ? growOn(file, metrics) : undefined;
  if (found !== undefined) {
    truncate(file, found.bytes);
    return found;
  }
  const sum = new GrowingSum();
  writeAtomic(file, (write) => {
    if (!existsSync(file)) return;
    let kept = '';
    const writeKept = (): void => {
      const bytes = Buffer.from(kept);
      write(bytes);
      sum.add(bytes);
      kept = '';
    };
    for (const line of readMetrics(file)) {
      if (line.num_updates <= updates) kept += `${JSON.stringify(line)}\n`;
      if (kept.length > WRITTEN_AT_ONCE) writeKept();
    }
    writeKept();
  });
  return sum;
}

function truncate(file: string, bytes: number): void {
  try {
    truncateSync(file, bytes);
  } catch (error) {
    throw explainFileError(error, file);
  }
}

/**
 * Reads the metrics of a run, line by line; a last one that was cut short is left out.
 *
 * @throws UserError for a file that holds something else, with the line
 */
export function* readMetrics(file: string): Generator<ReadLine, MetricsLines, undefined> {
  const lines = linesOfFile(file);
  for (let number = 1; ; number++) {
    const next = lines.next();
    if (next.done) return { lines: number - 1, torn: next.value };
    yield parseLine(next.value, `${file}:${number}`);
  }
}

/** Whole lines of metrics, and whether a last one is cut short, as where training was killed. */
export interface MetricsLines {
  lines: number;
  torn: boolean;
}

/** Looks at every line. @throws UserError naming the first line that is damaged */
export function checkMetrics(file: string): MetricsLines {
  const lines = readMetrics(file);
  for (;;) {
    const next = lines.next();
    if (next.done) return next.value;
  }
}

function parseLine(line: string, where: string): ReadLine {
  try {
    const found = JSON.parse(line);
    if (typeof found.num_updates === 'number') return found;
  } catch {
    // told below
  }
  throw new DamageError({
    problem: `expected a JSON object with num_updates, found '${line.slice(0, 60)}'`,
    where,
    hint: 'The file is damaged: move it away, or start anew with --restart.',
  });
}
