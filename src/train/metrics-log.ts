import { appendFileSync, existsSync } from 'node:fs';
import { explainFileError, UserError } from '../common/errors.js';
import { readFileBounded, writeFileAtomic } from '../common/files.js';
import type { TrainFigures } from './meter.js';
import type { ValidationFigures } from './validation.js';

/** Where in training a line was written. */
interface Place {
  epoch: number;
  num_updates: number;
  /** Seconds of training so far, those before a resumption included. */
  wall: number;
}

/** A line of metrics.jsonl; docs/train.md explains the keys. */
export type MetricsLine =
  | ({ event: 'train' } & Place & TrainFigures & { lr: number })
  | ({ event: 'valid' } & Place & ValidationFigures & { best_loss: number });

/** The metrics of a run: one JSON object a line. */
export class MetricsLog {
  private readonly file: string;

  /**
   * @param updates where training starts; lines of later updates, which will be written again, are dropped
   * @throws UserError for a file that cannot be written or holds something else
   */
  constructor(file: string, updates: number) {
    this.file = file;
    writeFileAtomic(file, existsSync(file) ? linesUpTo(file, updates) : '');
  }

  write(line: MetricsLine): void {
    try {
      appendFileSync(this.file, `${JSON.stringify(line)}\n`);
    } catch (error) {
      throw explainFileError(error, this.file);
    }
  }
}

function linesUpTo(file: string, updates: number): string {
  const lines = readFileBounded(file, 'the metrics of a run').toString('utf8').split('\n');
  const whole = lines.slice(0, -1); // the last is empty, or was cut short
  return whole
    .filter((line, i) => numUpdates(line, `${file}:${i + 1}`) <= updates)
    .map((line) => `${line}\n`)
    .join('');
}

function numUpdates(line: string, where: string): number {
  try {
    const { num_updates: found } = JSON.parse(line);
    if (typeof found === 'number') return found;
  } catch {
    // told below
  }
  throw new UserError({
    problem: `expected a JSON object with num_updates, found '${line.slice(0, 60)}'`,
    where,
    hint: 'The file is damaged: move it away, or start anew with --restart.',
  });
}
