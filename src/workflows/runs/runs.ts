import * as fs from 'node:fs';
import * as path from 'node:path';
import { explainFileError, userErrorOf } from '../../common/errors.js';
import { log } from '../../common/log.js';
import type { RunOverview } from '../../report/training-run.js';
import { isRunDirectory } from './directory.js';
import { type FoundRun, openRun } from './overview.js';

/** How deep below the folder runs are looked for. */
export const DEPTH = 2;

/** A run directory as `runs` lists it. */
export interface FoundRunDirectory extends RunOverview {
  path: string;
  changed: Date;
  /** Of all files in it. */
  bytes: number;
}

/**
 * `admin-nmt runs`: the run directories below a folder, latest change first.
 *
 * @throws UserError where the folder cannot be read
 */
export function findRuns(folder: string): FoundRunDirectory[] {
  return foldersOfRuns(folder, DEPTH)
    .flatMap((run) => openOrWarn(run, path.relative(folder, run) || '.'))
    .sort((a, b) => b.changed.getTime() - a.changed.getTime())
    .map((run) => ({ ...run.overview, path: run.folder, changed: run.changed, bytes: sizeOf(run.folder) }));
}

function foldersOfRuns(folder: string, depth: number): string[] {
  if (isRunDirectory(folder)) return [folder];
  if (depth === 0) return [];
  return subfolders(folder, depth === DEPTH).flatMap((name) =>
    foldersOfRuns(path.join(folder, name), depth - 1),
  );
}

/** @param required whether a folder that cannot be read is an error */
function subfolders(folder: string, required: boolean): string[] {
  try {
    return fs
      .readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && entry.name !== '.git')
      .map(({ name }) => name);
  } catch (error) {
    if (required) throw explainFileError(error, folder);
    return [];
  }
}

/** A run whose config cannot be read does not hide the others. */
function openOrWarn(run: string, name: string): FoundRun[] {
  try {
    return [openRun(run, name)];
  } catch (error) {
    log.warn(`${userErrorOf(error).message}\n  This run is left out.`);
    return [];
  }
}

/** Bytes of all files in a folder. */
function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name);
    // A checkpoint may be removed at this moment.
    if (entry.isFile()) bytes += fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
