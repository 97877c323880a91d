import { bytesCleaner, type CleanOptions } from './clean.js';
import type { LineSpans } from './line-bytes.js';
import { checkPairs, type PairBytes } from './pair-bytes.js';

/** Gathers lines. */
interface Lines {
  add(line: string): void;
}

/** Gives tokenizers the text that they are trained on. */
export class PieceCounter {
  private readonly trainers: readonly [Lines, Lines];
  private readonly clean: (line: Buffer) => Buffer;

  /** @param trainers of source and target, which may be one */
  constructor(trainers: readonly [Lines, Lines], clean: CleanOptions) {
    this.trainers = trainers;
    this.clean = bytesCleaner(clean);
  }

  /** @returns how many pairs there are. @throws UserError that names file and line (see checkPairs) */
  add(block: PairBytes): number {
    const [source, target] = checkPairs(block);
    this.addLines(source, this.trainers[0]);
    this.addLines(target, this.trainers[1]);
    return source.starts.length;
  }

  private addLines({ bytes, starts, ends }: LineSpans, trainer: Lines): void {
    for (let i = 0; i < starts.length; i++) {
      trainer.add(this.clean(bytes.subarray(starts[i], ends[i])).toString());
    }
  }
}
