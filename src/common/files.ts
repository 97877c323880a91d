import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { explainFileError, UserError } from './errors.js';

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
 */
export function makeFolder(folder: string): void {
  if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error; // else another made it
  }
}

/** A name beside `target` on the same file system, for writing before renaming. */
function temporaryName(target: string): string {
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
    },
    discard(): void {
      close();
      fs.rmSync(temporary, { force: true });
    },
  };
}

/**
 * Makes a folder whole or not at all: `fill` writes into a temporary folder beside the target, which then takes
 * the target's place (a previous one is moved aside and removed only after that).
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
    if (fs.existsSync(target)) fs.renameSync(target, aside);
    fs.renameSync(temporary, target);
    fs.rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    if (fs.existsSync(aside) && !fs.existsSync(target)) fs.renameSync(aside, target);
    if (fs.existsSync(temporary)) fs.rmSync(temporary, { recursive: true });
    throw explainFileError(error);
  }
}

/**
 * Reads a whole file of bounded size.
 *
 * @param what what the file should be, for the error
 * @param limit the most bytes to accept
 */
export function readFileBounded(file: string, what: string, limit = 2 ** 31): Buffer {
  try {
    const { size } = fs.statSync(file);
    if (size > limit) {
      throw new UserError({
        problem: `expected ${what} of at most ${limit} bytes, found ${size} bytes`,
        where: file,
        hint: 'Check that this is the right file.',
      });
    }
    return fs.readFileSync(file);
  } catch (error) {
    throw explainFileError(error, file);
  }
}

/** Reads and parses a JSON file. @throws UserError that names the file and the parser's complaint */
export function readJson(file: string, what: string, limit = 2 ** 26): unknown {
  const text = readFileBounded(file, what, limit).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError({
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
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 20);
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, 'r');
    for (;;) {
      const count = fs.readSync(fd, buffer, 0, buffer.length, null);
      if (count === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, count));
    }
  } catch (error) {
    throw explainFileError(error, file);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/**
 * Removes what processes that were killed have left unfinished beside its place. Only for a folder that no other process
 * writes to.
 */
export function removeLeftovers(folder: string): void {
  for (const name of fs.readdirSync(folder)) {
    if (/^\..+\.tmp(\.old)?$/.test(name))
      fs.rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}
