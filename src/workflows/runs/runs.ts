import * as fs from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { explainFileError, userErrorOf } from '../../common/errors.js';
import { log } from '../../common/log.js';
import { formatRuns } from '../../report/runs-table.js';
import { isRunDirectory } from './directory.js';
import { type FoundRun, openRun } from './overview.js';

/** How deep below the folder runs are looked for. */
const DEPTH = 2;

/**
 * `admin-nmt runs`: the run directories below a folder, latest change first, as a table or as JSON.
 *
 * @throws UserError where the folder cannot be read
 */
export function listRuns(folder: string, { json = false }: { json?: boolean }): void {
  const runs = findRuns(folder, DEPTH)
    .flatMap((run) => openOrWarn(run, path.relative(folder, run) || '.'))
    .sort((a, b) => b.changed.getTime() - a.changed.getTime());
  if (json) {
    const entries = runs.map(({ folder, overview, changed }) => {
      return { ...overview, path: folder, changed: changed.toISOString(), bytes: sizeOf(folder) };
    });
    process.stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
    return;
  }
  if (runs.length === 0) log.info(`No run directory in ${folder}, nor ${DEPTH} folders deep.`);
  const listed = runs.map(({ folder, overview, changed }) => {
    return { ...overview, age: (Date.now() - changed.getTime()) / 1000, bytes: sizeOf(folder) };
  });
  if (listed.length > 0) process.stdout.write(`${formatRuns(listed).join('\n')}\n`);
}

function findRuns(folder: string, depth: number): string[] {
  if (isRunDirectory(folder)) return [folder];
  if (depth === 0) return [];
  return subfolders(folder, depth === DEPTH).flatMap((name) => findRuns(path.join(folder, name), depth - 1));
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
