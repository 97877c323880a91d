import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { explainFileError, systemError } from './errors.js';
import { creating, keepRights, makeFolder, syncFolder } from './folders.js';
import { clearLeftovers, temporaryName } from './leftovers.js';
import { descriptorOf, followLinks } from './links.js';

/** Bytes that are written at a time: the system takes no 2 GiB. */
const MOST_AT_ONCE = 2 ** 30;
/** Milliseconds to wait for a reader of a pipe that takes no more for now. */
const WAIT = 5;
/** Bytes that are packed at a time. */
const PACKED_AT_ONCE = 1 << 20;

/** Writes all of the content at the place of a file descriptor. */
export function writeFully(fd: number, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let done = 0; done < bytes.length; ) {
    try {
      done += fs.writeSync(fd, bytes, done, Math.min(bytes.length - done, MOST_AT_ONCE));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT);
    }
  }
}

/** A file under way. */
export interface AtomicFile {
  write(content: string | Uint8Array): void;
  /** Syncs and closes it and puts it in its place. */
  commit(): void;
  /** Closes and removes it, unless it is in its place already. */
  discard(): void;
}

/**
 * Opens a file that takes its place when it is whole: a reader sees the old file or the whole new one. Missing parent
 * folders are made; links are followed; the rights of a file that was there are kept. What is no file (a device, a pipe,
 * an open descriptor such as /dev/stdout) is written to as it is. A name that ends in .gz gets its content packed.
 * The caller ends with `commit` or `discard`.
 *
 * @throws UserError that names the target for what the system refuses, here and when it is written
 */
export function openAtomic(target: string): AtomicFile {
  const explained = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw explainFileError(error, target);
    }
  };
  const opened = explained(() => open(target));
  const file = target.endsWith('.gz') ? packed(opened) : opened;
  return {
    write: (content) => explained(() => file.write(content)),
    commit: () => explained(() => file.commit()),
    discard: () => file.discard(),
  };
}

function open(target: string): AtomicFile {
  if (target.endsWith('/')) throw systemError('EISDIR'); // heard of at the end only, else
  const place = followLinks(target);
  const descriptor = descriptorOf(place);
  if (descriptor !== undefined) return passOn(descriptor, () => {});
  const found = fs.statSync(target, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return openBeside(place, found);
  const fd = fs.openSync(target, fs.constants.O_WRONLY); // says so where it is a folder
  return passOn(fd, () => fs.closeSync(fd));
}

/** What is written is gone. */
function passOn(fd: number, close: () => void): AtomicFile {
  fs.fstatSync(fd); // says so where it is not open
  let open = true;
  const end = (): void => {
    if (open) close();
    open = false;
  };
  return { write: (content) => writeFully(fd, content), commit: end, discard: end };
}

/** @param found what stands in its place */
function openBeside(place: string, found: fs.Stats | undefined): AtomicFile {
  const folder = path.dirname(place);
  makeFolder(folder);
  clearLeftovers(folder);
  const temporary = temporaryName(place);
  const mode = found === undefined ? 0o666 : found.mode & 0o777;
  const fd = creating(temporary, () => fs.openSync(temporary, 'wx', mode));
  if (found !== undefined) keepRights(temporary, found);
  let open = true;
  const close = (): void => {
    if (open) fs.closeSync(fd);
    open = false;
  };
  return {
    write: (content) => writeFully(fd, content),
    commit(): void {
      fs.fsyncSync(fd);
      close();
      fs.renameSync(temporary, place);
      syncFolder(folder);
    },
    discard(): void {
      close();
      fs.rmSync(temporary, { force: true });
    },
  };
}

/** Packs with gzip, in members of some length, which follow one another in a file of gzip (RFC 1952, 2.2). */
function packed(file: AtomicFile): AtomicFile {
  // Most files are plain, and it takes time to load.
  const { gzipSync } = createRequire(import.meta.url)('node:zlib') as typeof import('node:zlib');
  let held: Buffer[] = [];
  let size = 0;
  const flush = (): void => {
    file.write(gzipSync(Buffer.concat(held)));
    [held, size] = [[], 0];
  };
  return {
    write(content): void {
      const bytes = Buffer.from(content as Uint8Array); // a copy: the caller may use it again
      held.push(bytes);
      size += bytes.length;
      if (size >= PACKED_AT_ONCE) flush();
    },
    commit(): void {
      flush();
      file.commit();
    },
    discard: () => file.discard(),
  };
}
