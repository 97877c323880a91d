import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import { DamageError, explainFileError, UserError } from './errors.js';
import { checkSum, type FileSum, Summing, sumOf } from './file-sum.js';
import { descriptorOf, followLinks } from './links.js';

/** Bytes that are read at a time. */
const PIECE = 1 << 20;

/**
 * Opens a file for reading: a regular one, or an open descriptor, as a shell makes of `<(…)`. To open a pipe by its name would wait for
 * ever, and a device such as /dev/zero has no end.
 *
 * @returns its descriptor
 * @throws DamageError for what is neither; errors of the system as they are
 */
export function openInput(file: string): number {
  const found = fs.statSync(file);
  if (found.isFile() || found.isDirectory() || descriptorOf(followLinks(file)) !== undefined)
    return fs.openSync(file, 'r'); // to read a folder is refused by the system
  throw new DamageError({
    problem: `expected a regular file, found ${kindOf(found)}`,
    where: file,
    hint: 'Look at it with `ls -l`, and choose another path or move it away.',
  });
}

function kindOf(found: fs.Stats): string {
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
}

/**
 * Reads a whole file of bounded size.
 *
 * @param what what the file should be, for the error
 * @param limit the most bytes to accept
 * @param expected what was written, to be compared with what is read
 */
export function readFileBounded(file: string, what: string, limit = 2 ** 31, expected?: FileSum): Buffer {
  let fd: number | undefined;
  try {
    fd = openInput(file);
    const { size } = fs.fstatSync(fd);
    if (size > limit) throw tooLong(file, what, limit, `${size} bytes`);
    const bytes = size > 0 ? fs.readFileSync(fd) : readUpTo(fd, limit + 1);
    if (bytes.length > limit) throw tooLong(file, what, limit, 'more');
    if (expected !== undefined) checkSum(file, sumOf(bytes), expected);
    return bytes;
  } catch (error) {
    throw explainFileError(error, file);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function tooLong(where: string, what: string, limit: number, found: string): UserError {
  return new UserError({
    problem: `expected ${what} of at most ${limit} bytes, found ${found}`,
    where,
    hint: 'Check that this is the right file.',
  });
}

/** The bytes of what does not tell its size, a pipe. */
function readUpTo(fd: number, most: number): Buffer {
  const pieces: Buffer[] = [];
  for (let left = most; left > 0; ) {
    const piece = Buffer.allocUnsafe(Math.min(left, PIECE));
    const count = fs.readSync(fd, piece);
    if (count === 0) break;
    pieces.push(piece.subarray(0, count));
    left -= count;
  }
  return Buffer.concat(pieces);
}

/**
 * Sums up a file in pieces.
 *
 * @param limit look at no more than its first so many bytes
 */
export function sumFile(file: string, limit = Infinity): FileSum {
  const summing = new Summing();
  readPieces(file, 0, limit, (piece) => summing.add(piece));
  return summing.finish();
}

/**
 * Reads a file in pieces.
 *
 * @param from the place of the first byte; 0 for what has no places, a pipe
 * @param to the place after the last byte; there may be fewer
 * @param take what is done with a piece, which is overwritten by the next
 */
export function readPieces(file: string, from: number, to: number, take: (piece: Uint8Array) => void): void {
  const buffer = Buffer.allocUnsafe(PIECE);
  let fd: number | undefined;
  try {
    fd = openInput(file);
    for (let at = from; at < to; ) {
      const count = fs.readSync(fd, buffer, 0, Math.min(to - at, buffer.length), from === 0 ? null : at);
      if (count === 0) break;
      take(buffer.subarray(0, count));
      at += count;
    }
  } catch (error) {
    throw explainFileError(error, file);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
