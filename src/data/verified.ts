import { existsSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { sumFile } from '../common/file-input.js';
import { checkSum, type FileSum } from '../common/file-sum.js';
import { readJson, writeFileAtomic } from '../common/files.js';

/** Stands beside the files of a dataset and says which of them had their checksums when they were read last. */
export const VERIFIED_FILE = 'verified.json';

/**
 * Compares files with their checksums: reads those that are not, to all appearances, the ones that were found whole
 * before, and notes it in the folder where that can be written to.
 *
 * @param options.again read all of them, whatever was noted
 * @throws DamageError naming the first that is not as it was written
 */
export function verifyFiles(
  folder: string,
  checksums: Readonly<Record<string, FileSum>>,
  hint: string,
  { again = false }: { again?: boolean } = {},
): void {
  const noted = again ? {} : readNotes(folder);
  const marks: Record<string, string> = {};
  for (const [name, expected] of Object.entries(checksums)) {
    const file = path.join(folder, name);
    const mark = markOf(file, expected);
    if (mark === undefined || noted[name] !== mark) checkSum(file, sumFile(file), expected, hint);
    if (mark !== undefined) marks[name] = mark;
  }
  const content = `${JSON.stringify(marks, null, 1)}\n`;
  if (content === `${JSON.stringify(noted, null, 1)}\n`) return;
  try {
    writeFileAtomic(path.join(folder, VERIFIED_FILE), content);
  } catch {
    // A folder of somebody else, or a full disk: all is read again next time.
  }
}

/** What a file looks like without being read, and what it was compared with; undefined where it is not there. */
function markOf(file: string, { sha256 }: FileSum): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && [found.size, found.mtimeMs, found.ino, sha256].join(' ');
}

/** Notes that are damaged say nothing. */
function readNotes(folder: string): Record<string, unknown> {
  const file = path.join(folder, VERIFIED_FILE);
  if (!existsSync(file)) return {};
  try {
    return { ...(readJson(file, 'what was found whole', 2 ** 20) as object | null) };
  } catch {
    return {};
  }
}
