import { createHash } from 'node:crypto';
import { UserError } from '../common/errors.js';
import { checkLines, type LineBytes, type LineSpans } from './line-bytes.js';
import { type LineBlock, readByteBlocks } from './text-source.js';

/** Bytes of a file that are read before they are taken together; there may be as many again. */
const BLOCK_BYTES = 1 << 18;
const NEWLINE = 0x0a;
const TAB = 0x09;

/**
 * Sentence pairs as they lie in their files: the lines of both, or those of one that has a column for each side; behind them
 * may be the lines of a file of alignments.
 */
export type PairBytes = readonly LineBytes[];

/** What was read of a file. */
export interface FileDigest {
  readonly bytes: number;
  /** Of the file as it lies on the disk, packed or not. */
  readonly sha256: string;
  readonly lines: number;
}

/**
 * Reads the lines of a file, or of several of which each line belongs to those of the others, many at a time; ends with a
 * digest of each file. What the lines hold is not checked.
 *
 * @throws UserError for a file that cannot be read (see readLines), and where one has more lines than another, with
 *   both counts; what was read before comes first
 */
export async function* readPairBytes(
  files: readonly string[],
): AsyncGenerator<PairBytes, FileDigest[], void> {
  const queues = files.map((file) => new LineQueue(file));
  try {
    for (;;) {
      for (const queue of queues) await queue.fill();
      const count = Math.min(...queues.map((queue) => queue.count));
      if (count === 0) break;
      yield queues.map((queue) => queue.take(count));
    }
    for (const queue of queues) await queue.skip();
    const [first, ...others] = queues;
    const other = others.find(({ lines }) => lines !== first.lines);
    if (other !== undefined) throw unequalLines(first, other);
    return queues.map((queue) => queue.digest());
  } finally {
    for (const queue of queues) await queue.close();
  }
}

/**
 * Where the sentences are.
 *
 * @throws UserError that names file and line for what is no text, or a line of columns that are not two
 */
export function checkPairs([first, second]: PairBytes): [LineSpans, LineSpans] {
  return second === undefined ? checkColumns(first) : [checkLines(first), checkLines(second)];
}

function checkColumns(lines: LineBytes): [LineSpans, LineSpans] {
  const { bytes, starts, ends } = checkLines(lines);
  const tabs = starts.map((start, i) => {
    const tab = bytes.indexOf(TAB, start);
    const another = bytes.indexOf(TAB, tab + 1);
    if (tab !== -1 && tab < ends[i] && (another === -1 || another >= ends[i])) return tab;
    const columns = bytes.toString('utf8', start, ends[i]).split('\t').length;
    throw new UserError({
      problem: `expected two columns, source and target with a tab between them, found ${columns}`,
      where: `${lines.name}:${lines.line + i}`,
      hint: 'Mend or remove the line.',
    });
  });
  return [
    { bytes, starts, ends: tabs },
    { bytes, starts: tabs.map((tab) => tab + 1), ends },
  ];
}

function unequalLines(source: LineQueue, target: LineQueue): UserError {
  return new UserError({
    problem: `expected as many lines in both files, found ${source.lines} in ${source.file} and ${target.lines} in ${target.file}`,
    where: source.lines < target.lines ? source.file : target.file,
    hint: 'Line n of one file is the translation of line n of the other, or its alignment: find the line that is missing.',
  });
}

/** Lines of a file that were read, in order; keeps the count and the checksum of all. */
class LineQueue {
  readonly file: string;
  /** Lines so far, those taken included. */
  lines = 0;
  private held: LineBlock[] = [];
  private heldBytes = 0;
  /** Lines of the first block that were taken. */
  private taken = 0;
  private failure: { error: unknown } | undefined;
  private ended = false;
  private bytes = 0;
  private readonly hash = createHash('sha256');
  private readonly blocks: AsyncGenerator<LineBlock, void, void>;

  constructor(file: string) {
    this.file = file;
    this.blocks = readByteBlocks(file, {
      onBytes: (bytes) => {
        this.bytes += bytes.length;
        this.hash.update(bytes);
      },
    });
  }

  /** Lines that can be taken. */
  get count(): number {
    return this.held.reduce((sum, { ends }) => sum + ends.length, 0) - this.taken;
  }

  /** Reads until there is as much as is taken together. @throws what reading threw, once all lines before are taken */
  async fill(): Promise<void> {
    while (this.heldBytes < BLOCK_BYTES && !this.ended && this.failure === undefined) {
      try {
        const { done, value } = await this.blocks.next();
        if (done) this.ended = true;
        else this.hold(value);
      } catch (error) {
        this.failure = { error };
      }
    }
    if (this.failure !== undefined && this.count === 0) throw this.failure.error;
  }

  /** Takes the first lines. */
  take(count: number): LineBytes {
    const parts: Buffer[] = [];
    const ends = new Int32Array(count);
    const line = this.held[0].line + this.taken;
    let length = 0;
    for (let done = 0; done < count; ) {
      const [block] = this.held;
      const here = Math.min(count - done, block.ends.length - this.taken);
      const start = this.taken === 0 ? 0 : block.ends[this.taken - 1] + 1;
      const end = block.ends[this.taken + here - 1];
      for (let i = 0; i < here; i++) ends[done + i] = length + block.ends[this.taken + i] - start;
      parts.push(block.bytes.subarray(start, end));
      length += end - start + 1;
      done += here;
      this.drop(here, end - start);
    }
    return { name: this.file, line, bytes: joinLines(parts, length - 1), ends };
  }

  /** Reads and checks all lines that are left. */
  async skip(): Promise<void> {
    for (;;) {
      await this.fill();
      if (this.count === 0) return;
      checkLines(this.take(this.count));
    }
  }

  async close(): Promise<void> {
    await this.blocks.return();
  }

  digest(): FileDigest {
    return { bytes: this.bytes, sha256: this.hash.digest('hex'), lines: this.lines };
  }

  private hold(block: LineBlock): void {
    this.held.push(block);
    this.heldBytes += block.bytes.length;
    this.lines += block.ends.length;
  }

  private drop(lines: number, bytes: number): void {
    this.taken += lines;
    const isWhole = this.taken === this.held[0].ends.length;
    this.heldBytes -= isWhole ? bytes : bytes + 1; // with the line break
    if (!isWhole) return;
    this.held.shift();
    this.taken = 0;
  }
}

/** Bytes of their own, line breaks between the parts. */
function joinLines(parts: readonly Buffer[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
    if (at < length) bytes[at++] = NEWLINE;
  }
  return bytes;
}
