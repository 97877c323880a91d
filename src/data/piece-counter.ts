import { bytesCleaner, type CleanOptions } from './clean.js';
import type { LineSpans } from './line-bytes.js';
import { isDrawn, type LineDraw } from './line-sample.js';
import { checkPairs, type PairBytes } from './pair-bytes.js';

/** Gathers lines. */
interface Lines {
  add(line: string): void;
}

/** Gives tokenizers the text that they are trained on. */
export class PieceCounter {
  private readonly trainers: readonly [Lines, Lines];
  private readonly clean: (line: Buffer) => Buffer;
  private readonly has: ((line: number) => boolean) | undefined;

  /**
   * @param trainers of source and target, which may be one
   * @param drawn the lines to give them; all without it. Of one trainer the lines of pair n are 2n and 2n + 1, of two each has
   *   lines n: both get those of the same pairs
   */
  constructor(trainers: readonly [Lines, Lines], clean: CleanOptions, drawn?: LineDraw) {
    this.trainers = trainers;
    this.clean = bytesCleaner(clean);
    this.has = drawn && isDrawn(drawn);
  }

  /** @returns how many pairs there are. @throws UserError that names file and line (see checkPairs) */
  add(block: PairBytes): number {
    const [source, target] = checkPairs(block);
    const first = (block[0].before ?? 0) + block[0].line - 1;
    const [one, other] = this.trainers;
    const [step, offset] = one === other ? [2, 1] : [1, 0];
    this.addLines(source, one, (i) => step * (first + i));
    this.addLines(target, other, (i) => step * (first + i) + offset);
    return source.starts.length;
  }

  private addLines({ bytes, starts, ends }: LineSpans, trainer: Lines, lineOf: (i: number) => number): void {
    for (let i = 0; i < starts.length; i++) {
      if (this.has?.(lineOf(i)) === false) continue;
      trainer.add(this.clean(bytes.subarray(starts[i], ends[i])).toString());
    }
  }
}
