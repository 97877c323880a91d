import { UserError } from '../common/errors.js';
import { mapInOrder } from '../common/in-order.js';
import { startProgress } from '../common/progress.js';
import { type FileDigest, type PairBytes, readPairBytes } from './pair-bytes.js';
import { filesOf } from './parallel-text.js';
import { inputsOfPart, type TextPart } from './text-parts.js';

/** Reads the texts of a dataset, and keeps a digest of each file that was read. */
export class TextReader {
  /** By role. */
  readonly digests = new Map<string, FileDigest>();
  private readonly languages: readonly [source: string, target: string];
  private readonly signal: AbortSignal | undefined;

  /** @param signal ends the reading, with its reason as the error */
  constructor(languages: readonly [source: string, target: string], signal?: AbortSignal) {
    this.languages = languages;
    this.signal = signal;
  }

  /**
   * Reads a part to its end, text by text.
   *
   * @param width blocks that are worked on at a time
   * @param options.before pairs of all parts before this one, for the numbers of its pairs
   * @param options.linked whether blocks have the alignments of their pairs, too, behind the text
   * @throws UserError where a text has no pairs
   */
  async read<T>(
    part: TextPart,
    work: (block: PairBytes) => T | Promise<T>,
    width: number,
    see: (result: T) => void,
    { before = 0, linked = false } = {},
  ): Promise<void> {
    const digests: FileDigest[] = [];
    let first = before;
    for (const text of part.texts) {
      const files = [...filesOf(text), ...(linked && text.links !== undefined ? [text.links] : [])];
      const blocks = numbered(readPairBytes(files), first);
      const read = await this.readText(mapInOrder(blocks, work, width), see);
      if (read[0].lines === 0) {
        throw new UserError({
          problem: `data.${part.role}: expected sentences, found an empty file`,
          where: files[0],
          hint: 'Check the path.',
        });
      }
      first += read[0].lines;
      digests.push(...read);
    }
    inputsOfPart(part, this.languages, linked).forEach(({ role }, i) => {
      this.digests.set(role, digests[i]);
    });
  }

  /** Reads the training text to its end. @param pairsOf how many a block has. @returns how many there are */
  async count(
    training: readonly TextPart[],
    what: string,
    pairsOf: (block: PairBytes) => number | Promise<number>,
    width: number,
  ): Promise<number> {
    const progress = startProgress({ label: `${what} the training text`, unit: 'pairs' });
    let pairs = 0;
    const see = (count: number): void => {
      pairs += count;
      progress.update(pairs);
    };
    try {
      for (const part of training) await this.read(part, pairsOf, width, see, { before: pairs });
    } finally {
      progress.stop();
    }
    return pairs;
  }

  private async readText<T>(
    blocks: AsyncGenerator<T, FileDigest[], void>,
    see: (result: T) => void,
  ): Promise<FileDigest[]> {
    let step = await blocks.next();
    try {
      for (; !step.done; step = await blocks.next()) {
        see(step.value);
        this.signal?.throwIfAborted();
      }
    } finally {
      await blocks.return([]);
    }
    return step.value;
  }
}

/** Blocks that say how many pairs there are before their file. */
async function* numbered(
  blocks: AsyncGenerator<PairBytes, FileDigest[], void>,
  before: number,
): AsyncGenerator<PairBytes, FileDigest[], void> {
  let step = await blocks.next();
  try {
    for (; !step.done; step = await blocks.next()) yield step.value.map((side) => ({ ...side, before }));
  } finally {
    await blocks.return([]);
  }
  return step.value;
}
