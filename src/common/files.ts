import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DamageError, explainFileError, UserError } from './errors.js';
import { readFileBounded, sumFile } from './file-input.js';
import { openAtomic } from './file-output.js';
import type { FileSum } from './file-sum.js';
import { creating, keepRights, makeFolder, syncFolder, syncTree } from './folders.js';
import { parseJson } from './json.js';
import { clearLeftovers, temporaryName } from './leftovers.js';
import { followLinks } from './links.js';

/** The folder of the package: the nearest one above this file that holds our package.json. */
export function packageRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!fs.existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}

/** The version of the package. */
export function packageVersion(): string {
  return JSON.parse(fs.readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')).version;
}

/**
 * Writes a file as openAtomic does.
 *
 * @throws UserError for what a user can mend (no space, no permission, …)
 */
export function writeFileAtomic(target: string, content: string | Uint8Array): void {
  writeAtomic(target, (write) => write(content));
}

/** As writeFileAtomic, for content that comes in pieces. */
export function writeAtomic(
  target: string,
  fill: (write: (content: string | Uint8Array) => void) => void,
): void {
  const file = openAtomic(target);
  try {
    fill(file.write);
    file.commit();
  } catch (error) {
    file.discard();
    throw explainFileError(error, target);
  }
}

/**
 * Makes a folder whole or not at all: `fill` writes into a temporary folder beside the target, which then takes
 * the target's place and its rights. All of it is on the disk before that. A previous one is moved aside and removed only
 * after that; where the power fails between the two, `putBack` finds it. Where the target is a link, this happens where
 * it leads.
 */
export async function writeFolderAtomic(
  target: string,
  fill: (folder: string) => Promise<void> | void,
): Promise<void> {
  let [temporary, aside, place] = ['', '', target];
  try {
    place = followLinks(target);
    makeFolder(path.dirname(place));
    clearLeftovers(path.dirname(place));
    const found = fs.statSync(place, { throwIfNoEntry: false });
    if (found?.isDirectory() === false) fs.mkdirSync(place); // says that something is in the way
    temporary = temporaryName(place);
    aside = `${temporary}.old`;
    const mode = found === undefined ? 0o777 : (found.mode & 0o777) | 0o700;
    creating(temporary, () => fs.mkdirSync(temporary, mode));
    await fill(temporary);
    if (found !== undefined) keepRights(temporary, found);
    syncTree(temporary);
    if (fs.existsSync(place)) fs.renameSync(place, aside);
    fs.renameSync(temporary, place);
    syncFolder(path.dirname(place));
    fs.rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    if (fs.existsSync(aside) && !fs.existsSync(place)) fs.renameSync(aside, place);
    if (fs.existsSync(temporary)) fs.rmSync(temporary, { recursive: true });
    throw inItsPlace(explainFileError(error, target), temporary, target);
  }
}

/** Names what would have been where it was to be. */
function inItsPlace(error: unknown, temporary: string, target: string): unknown {
  if (!(error instanceof UserError) || temporary === '') return error;
  if (!error.complaints.some(({ where }) => where?.includes(temporary))) return error;
  const moved = error.complaints.map((complaint) => {
    return { ...complaint, where: complaint.where?.replace(temporary, target) };
  });
  const Kind = error instanceof DamageError ? DamageError : UserError;
  return new Kind(moved, { cause: error.cause ?? error });
}

/** Manifests, profiles and records of the largest trainings have less than a tenth of it. */
const LONGEST_JSON = 2 ** 24;

/** Reads and parses a JSON file. @throws UserError that names the file and the parser's complaint */
export function readJson(file: string, what: string, limit = LONGEST_JSON, expected?: FileSum): unknown {
  const text = readFileBounded(file, what, limit, expected).toString('utf8');
  try {
    return parseJson(text);
  } catch (error) {
    throw new DamageError({
      problem: `expected ${what} in JSON: ${(error as Error).message}`,
      where: file,
      hint: 'The file is damaged or is not of this kind; make it again.',
    });
  }
}

/** SHA-256 of bytes or text, in hex. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** SHA-256 of a file, read in pieces. */
export function sha256File(file: string): string {
  return sumFile(file).sha256;
}
