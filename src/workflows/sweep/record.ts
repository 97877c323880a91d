import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../../common/errors.js';
import { readJson, writeFileAtomic } from '../../common/files.js';
import type { CellFigures } from '../../report/sweep-results.js';

/** How the training of a cell ended. */
export type CellEnd = 'done' | 'diverged' | 'failed';

/** A cell as sweep.json has it. */
export interface CellRecord {
  readonly name: string;
  readonly group: string;
  readonly seed: number;
  /** Values of the varied keys. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Names the config with which it came to its end. */
  hash: string;
  /** Null before its end, also where it was interrupted. */
  end: CellEnd | null;
  /** Why it failed or diverged. */
  message: string | null;
  /** Loss of a model that knows the frequencies of words alone, in bits a token. */
  unigram: number | null;
  /** At its end. */
  figures: CellFigures | null;
}

/** What sweep.json holds. */
export interface SweepRecord {
  readonly files: readonly string[];
  readonly set: Readonly<Record<string, unknown>>;
  readonly test: boolean;
  /** Whether cells are listed, which need not have the same keys. */
  readonly listed: boolean;
  /** Varied keys and how they are called, in the order of the plan. */
  readonly axes: Readonly<Record<string, string>>;
  readonly cells: readonly CellRecord[];
}

const FORMAT = 'admin-nmt/sweep';
const VERSION = 1;
const HINT =
  'Move the file away: the cells in the folder are then gone through again, and what is finished ends at once.';

export function sweepFile(folder: string): string {
  return path.join(folder, 'sweep.json');
}

export function writeSweepRecord(folder: string, record: SweepRecord): void {
  const content = { format: FORMAT, version: VERSION, ...record };
  writeFileAtomic(sweepFile(folder), `${JSON.stringify(content, null, 1)}\n`);
}

/** What an earlier sweep in a folder has left; null where there was none. @throws UserError for a file that is none of ours */
export function readSweepRecord(folder: string): SweepRecord | null {
  const file = sweepFile(folder);
  if (!existsSync(file)) return null;
  const found = readJson(file, 'the record of a sweep') as
    | (SweepRecord & { format: string; version: number })
    | null;
  if (found?.format !== FORMAT || found.version !== VERSION) {
    const problem = `expected a sweep.json of ${FORMAT}, version ${VERSION}; found another one`;
    throw new UserError({ problem, where: file, hint: HINT });
  }
  const { files, set, test, listed, axes, cells } = found;
  if (![files, cells].every(Array.isArray) || !cells.every(isCell)) {
    throw new UserError({
      problem: 'expected the cells of a sweep, found something else',
      where: file,
      hint: HINT,
    });
  }
  return { files, set, test, listed, axes, cells };
}

function isCell(value: unknown): value is CellRecord {
  const { name, group, hash, settings } = (value ?? {}) as Partial<CellRecord>;
  return [name, group, hash].every((text) => typeof text === 'string') && typeof settings === 'object';
}
