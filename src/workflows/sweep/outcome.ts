import * as path from 'node:path';
import { formatDuration } from '../../common/duration.js';
import { UserError } from '../../common/errors.js';
import { LOG_FILE } from './cell.js';
import type { CellRecord, SweepRecord } from './record.js';

/** How a cell has ended, in a line. */
export function describeOutcome({ end, message, figures }: CellRecord): string {
  if (end === null) return 'interrupted';
  if (end === 'diverged') return message!;
  if (end === 'failed') return `failed: ${message}`;
  const { verdict, best, updates, seconds } = figures!;
  const loss = best === null ? '' : `, best valid loss ${best.loss.toFixed(3)}`;
  return `${verdict}${loss}, ${updates} updates in ${formatDuration(seconds)}`;
}

/** @throws UserError with every cell that failed */
export function complainOfFailures(folder: string, { cells }: SweepRecord): void {
  const failed = cells.filter(({ end }) => end === 'failed');
  if (failed.length === 0) return;
  const complaints = failed.map(({ name, message }) => ({
    problem: `this cell failed: ${message}`,
    where: path.join(folder, name, LOG_FILE),
  }));
  const hint = 'The same command with --retry-failed tries them again.';
  throw new UserError([...complaints.slice(0, -1), { ...complaints.at(-1)!, hint }]);
}
