import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DamageError, explainFileError, UserError } from './errors.js';
import { checkSum, type FileSum, sumFile, sumOf } from './file-sum.js';

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
 * Makes a folder and those above it, unless they are there. (Node's own recursive mkdir never returns where a file
 * system answers ENOENT for a folder whose parent exists, as /proc does.)
 *
 * @returns the outermost folder that was made; undefined where there was nothing to make
 */
export function makeFolder(folder: string): string | undefined {
  if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const parent = path.dirname(folder);
  const above = parent === folder ? undefined : makeFolder(parent);
  try {
    fs.mkdirSync(folder);
    syncFolder(parent);
    return above ?? folder;
  } catch (error) {
    if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error; // else another made it
    return above;
  }
}

/** Removes a folder and those above it, up to one of them, as far as they are empty. */
export function removeEmptyFolders(folder: string, outermost: string): void {
  try {
    fs.rmdirSync(folder);
  } catch {
    return; // there is something in it
  }
  if (folder !== outermost) removeEmptyFolders(path.dirname(folder), outermost);
}

/** What a folder answers that cannot be opened or synced: on Windows, on some network file systems, by permission. */
const CANNOT_SYNC = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'ENOSYS', 'EBADF']);

/** Makes the names in a folder outlast a power loss, where the file system can do that. */
export function syncFolder(folder: string): void {
  let fd: number | undefined;
  try {
    fd = fs.openSync(folder, 'r');
    fs.fsyncSync(fd);
  } catch (error) {
    if (!CANNOT_SYNC.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Makes a folder and all that is in it outlast a power loss. */
function syncTree(folder: string): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) syncTree(place);
    else if (entry.isFile()) syncFile(place);
  }
  syncFolder(folder);
}

/** Makes the content of a file outlast a power loss. */
export function syncFile(file: string): void {
  const fd = fs.openSync(file, 'r+');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** A name beside `target` on the same file system, for writing before renaming. */
export function temporaryName(target: string): string {
  return path.join(
    path.dirname(target),
    `.${path.basename(target)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`,
  );
}

/**
 * Writes a file beside its place, syncs it and renames it: a reader sees the old file or the whole new one.
 * Missing parent folders are made.
 *
 * @throws UserError for what a user can mend (no space, no permission, …)
 */
export function writeFileAtomic(target: string, content: string | Uint8Array): void {
  writeAtomic(target, (fd) => {
    fs.writeFileSync(fd, content);
  });
}

/** As writeFileAtomic, for content that comes in pieces: `write` gets the open file descriptor. */
export function writeAtomic(target: string, write: (fd: number) => void): void {
  const file = openAtomic(target);
  try {
    write(file.fd);
    file.commit();
  } catch (error) {
    file.discard();
    throw explainFileError(error, target);
  }
}

/** Writes all of the bytes at the place of a file descriptor. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += fs.writeSync(fd, bytes, done);
}

/** A file under way beside its place. */
export interface AtomicFile {
  readonly fd: number;
  /** Syncs and closes it and puts it in its place. */
  commit(): void;
  /** Closes and removes it, unless it is in its place already. */
  discard(): void;
}

/** As writeAtomic, for content that comes over time. The caller ends with `commit` or `discard`. */
export function openAtomic(target: string): AtomicFile {
  const temporary = temporaryName(target);
  let fd: number;
  try {
    makeFolder(path.dirname(target));
    fd = fs.openSync(temporary, 'wx');
  } catch (error) {
    throw explainFileError(error, target);
  }
  let open = true;
  const close = (): void => {
    if (open) fs.closeSync(fd);
    open = false;
  };
  return {
    fd,
    commit(): void {
      fs.fsyncSync(fd);
      close();
      fs.renameSync(temporary, target);
      syncFolder(path.dirname(target));
    },
    discard(): void {
      close();
      fs.rmSync(temporary, { force: true });
    },
  };
}

/**
 * Makes a folder whole or not at all: `fill` writes into a temporary folder beside the target, which then takes
 * the target's place. All of it is on the disk before that. A previous one is moved aside and removed only after
 * that; where the power fails between the two, `putBack` finds it.
 */
export async function writeFolderAtomic(
  target: string,
  fill: (folder: string) => Promise<void> | void,
): Promise<void> {
  const temporary = temporaryName(target);
  const aside = `${temporary}.old`;
  try {
    makeFolder(temporary);
    await fill(temporary);
    syncTree(temporary);
    if (fs.existsSync(target)) fs.renameSync(target, aside);
    fs.renameSync(temporary, target);
    syncFolder(path.dirname(target));
    fs.rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    if (fs.existsSync(aside) && !fs.existsSync(target)) fs.renameSync(aside, target);
    if (fs.existsSync(temporary)) fs.rmSync(temporary, { recursive: true });
    throw explainFileError(error);
  }
}

/** The target of a name that writeFolderAtomic or writeAtomic uses on the way, and whether it is an old folder. */
export function parseTemporaryName(
  name: string,
): { target: string; processId: number; old: boolean } | undefined {
  const [, target, id, old] = /^\.(.+)\.(\d+)\.[0-9a-f]{8}\.tmp(\.old)?$/.exec(name) ?? [];
  return target === undefined ? undefined : { target, processId: Number(id), old: old !== undefined };
}

/** Puts back a folder that writeFolderAtomic had moved aside and, for a loss of power, could not replace. */
export function putBack(target: string): void {
  const folder = path.dirname(target);
  if (fs.existsSync(target) || !fs.existsSync(folder)) return;
  const aside = fs.readdirSync(folder).find((name) => {
    const parsed = parseTemporaryName(name);
    return parsed?.old === true && parsed.target === path.basename(target);
  });
  if (aside === undefined) return;
  fs.renameSync(path.join(folder, aside), target);
  syncFolder(folder);
}

/**
 * Reads a whole file of bounded size.
 *
 * @param what what the file should be, for the error
 * @param limit the most bytes to accept
 * @param expected what was written, to be compared with what is read
 */
export function readFileBounded(file: string, what: string, limit = 2 ** 31, expected?: FileSum): Buffer {
  try {
    const { size } = fs.statSync(file);
    if (size > limit) {
      throw new UserError({
        problem: `expected ${what} of at most ${limit} bytes, found ${size} bytes`,
        where: file,
        hint: 'Check that this is the right file.',
      });
    }
    const bytes = fs.readFileSync(file);
    if (expected !== undefined) checkSum(file, sumOf(bytes), expected);
    return bytes;
  } catch (error) {
    throw explainFileError(error, file);
  }
}

/** Reads and parses a JSON file. @throws UserError that names the file and the parser's complaint */
export function readJson(file: string, what: string, limit = 2 ** 26, expected?: FileSum): unknown {
  const text = readFileBounded(file, what, limit, expected).toString('utf8');
  try {
    return JSON.parse(text);
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

/** Removes what processes that are no more have left unfinished beside its place. */
export function removeLeftovers(folder: string): void {
  for (const name of fs.readdirSync(folder)) {
    if (!/^\..+\.tmp(\.old)?$/.test(name)) continue;
    const { processId = process.pid } = parseTemporaryName(name) ?? {};
    if (processId !== process.pid && isRunning(processId)) continue; // another command is at work on it
    fs.rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}

/** Whether this machine has a process of that number. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
