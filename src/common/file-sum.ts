import { createHash } from 'node:crypto';
import { DamageError } from './errors.js';

const HINT = 'It was damaged or changed since. `admin-nmt check FOLDER` says what is whole.';

/** Names the content of a file. */
export interface FileSum {
  readonly bytes: number;
  /** SHA-256, in hex. */
  readonly sha256: string;
}

/** Sums up content that comes in pieces. */
export class Summing {
  private readonly hash = createHash('sha256');
  private bytes = 0;

  add(piece: string | Uint8Array): void {
    this.hash.update(piece);
    this.bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
  }

  /** The sum of all pieces; nothing can be added after that. */
  finish(): FileSum {
    return { bytes: this.bytes, sha256: this.hash.digest('hex') };
  }
}

export function sumOf(content: string | Uint8Array): FileSum {
  const summing = new Summing();
  summing.add(content);
  return summing.finish();
}

/**
 * Compares what was read with what was written.
 *
 * @param hint what to do about a file that differs
 * @throws DamageError for such a file
 */
export function checkSum(file: string, found: FileSum, expected: FileSum, hint = HINT): void {
  checkBytes(file, found.bytes, expected, hint);
  if (found.sha256 === expected.sha256) return;
  throw altered(file, `SHA-256 ${short(expected)}, found ${short(found)}`, hint);
}

/** The part of checkSum that needs no reading. */
export function checkBytes(file: string, bytes: number, expected: FileSum, hint = HINT): void {
  if (bytes !== expected.bytes) throw altered(file, `${expected.bytes} bytes, found ${bytes}`, hint);
}

const short = ({ sha256 }: FileSum): string => `${sha256.slice(0, 8)}…`;

function altered(where: string, difference: string, hint: string): DamageError {
  return new DamageError({
    problem: `the file is not as it was written: expected ${difference}`,
    where,
    hint,
  });
}
