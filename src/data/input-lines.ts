import { statSync } from 'node:fs';
import { readLineBlocks, STDIN } from './text-source.js';

/** A block for each chunk of bytes, and one for a last line without a break: with fewer the end has been seen. */
const BLOCKS_AHEAD = 3;

/**
 * The lines of a text, read once, as they are asked for; and how many there will be, by the bytes of the file that the
 * lines so far have taken.
 */
export class InputLines {
  private readonly blocks: AsyncGenerator<string[], void, void>;
  private readonly size: number | undefined;
  private readonly ahead: string[][] = [];
  private bytes = 0;
  private lines = 0;
  private ended = false;

  private constructor(file: string) {
    this.blocks = readLineBlocks(file, {
      onBytes: ({ length }) => {
        this.bytes += length;
      },
    });
    this.size = file === STDIN ? undefined : sizeOf(file);
  }

  /**
   * Begins to read a file, so that one that cannot be read, or is small, is known before other work starts. Nothing is
   * read of standard input, where somebody may have yet to type.
   *
   * @param file plain or gzipped, or '-'
   * @throws UserError as readLines does
   */
  static async open(file: string): Promise<InputLines> {
    const input = new InputLines(file);
    if (file !== STDIN) while (input.ahead.length < BLOCKS_AHEAD && (await input.read()));
    return input;
  }

  /** The number of lines where the end has been seen; undefined before. */
  get total(): number | undefined {
    return this.ended ? this.lines : undefined;
  }

  /** What the number of lines will be, as far as it can be told: not of a pipe. */
  get estimate(): number | undefined {
    if (this.size === undefined || this.bytes === 0) return this.total;
    return this.total ?? Math.round((this.lines * this.size) / Math.min(this.bytes, this.size));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    try {
      while (this.ahead.length > 0 || (!this.ended && (await this.read()))) {
        yield* this.ahead.shift() as string[];
      }
    } finally {
      await this.close();
    }
  }

  /** Lets go of the file, if lines are not read to their end. */
  async close(): Promise<void> {
    await this.blocks.return();
  }

  private async read(): Promise<boolean> {
    const { value } = await this.blocks.next();
    this.ended = value === undefined;
    if (value === undefined) return false;
    this.lines += value.length;
    this.ahead.push(value);
    return true;
  }
}

/** Bytes of a regular file; undefined for what has no size, and what is not there. */
function sizeOf(file: string): number | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats?.isFile() ? stats.size : undefined;
}
