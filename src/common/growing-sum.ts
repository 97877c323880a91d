import { createHash } from 'node:crypto';
import { readPieces, sumFile } from './file-input.js';
import { checkBytes, checkSum, type FileSum } from './file-sum.js';

/** Bytes of a part that has a sum of its own. */
const PART = 2 ** 26;

/**
 * Names the content of a file that only grows, in parts: what a part was is known ever after, so that no more than the last
 * two are read to go on. A file of less than a part has the sum that any file has.
 */
export interface GrownSum extends FileSum {
  /** SHA-256 of each whole part, in hex; `sha256` is of what follows them. Without any it is of the whole file. */
  readonly parts?: readonly string[];
}

/** The sum of a file as it grows. */
export class GrowingSum {
  private readonly parts: string[];
  private readonly part: number;
  private hash = createHash('sha256');
  /** Bytes after the last whole part. */
  private held = 0;

  /** @param parts of what the file begins with */
  constructor(parts: readonly string[] = [], part = PART) {
    this.parts = [...parts];
    this.part = part;
  }

  get bytes(): number {
    return this.parts.length * this.part + this.held;
  }

  get sum(): GrownSum {
    const sum = { bytes: this.bytes, sha256: this.hash.copy().digest('hex') };
    return this.parts.length === 0 ? sum : { ...sum, parts: [...this.parts] };
  }

  add(content: Uint8Array): void {
    for (let at = 0; at < content.length; ) {
      const piece = content.subarray(at, at + this.part - this.held);
      this.hash.update(piece);
      at += piece.length;
      this.held += piece.length;
      if (this.held < this.part) continue;
      this.parts.push(this.hash.digest('hex'));
      [this.hash, this.held] = [createHash('sha256'), 0];
    }
  }
}

/**
 * The sum of what a file begins with, to go on from, as it was when it had so many bytes. Its last whole part is read, and what
 * follows it.
 *
 * @returns undefined where that is not as it was
 */
export function growOn(file: string, expected: GrownSum, part = PART): GrowingSum | undefined {
  const { bytes, sha256, parts = [] } = expected;
  const last = parts.at(-1);
  const isOfEarlierVersion = parts.length === 0 && bytes >= part;
  if (isOfEarlierVersion && sumFile(file, bytes).sha256 !== sha256) return undefined;
  const sum = sumOfFirst(file, bytes, parts.slice(0, -1), part);
  if (isOfEarlierVersion) return sum;
  const found = sum.sum;
  return sum.bytes === bytes && found.sha256 === sha256 && found.parts?.at(-1) === last ? sum : undefined;
}

/** Reads all that a file began with. @throws DamageError where it is not as it was */
export function checkGrown(file: string, expected: GrownSum, part = PART): void {
  const { bytes, sha256, parts } = expected;
  if (parts === undefined) {
    checkSum(file, sumFile(file, bytes), expected);
    return;
  }
  const found = sumOfFirst(file, bytes, [], part).sum;
  checkBytes(file, found.bytes, expected);
  const [a, b] = [found, { parts, sha256 }].map((sum) => [...(sum.parts ?? []), sum.sha256]);
  for (const [i, own] of b.entries()) checkSum(file, { bytes, sha256: a[i] ?? '' }, { bytes, sha256: own });
}

function sumOfFirst(file: string, bytes: number, parts: readonly string[], part: number): GrowingSum {
  const sum = new GrowingSum(parts, part);
  readPieces(file, sum.bytes, bytes, (piece) => sum.add(piece));
  return sum;
}
