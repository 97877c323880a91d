import type { BatchBy } from '../common/batch-by.js';
import { cutterFor } from './batch-cutters.js';
import { type LengthTable, lengthTable, type PairLengths } from './length-table.js';

export interface BatchLimits {
  /** Most tokens in a batch, counted on the side that has more. */
  maxTokens: number;
  /** What is counted: `tokens` where nothing else is said. */
  batchBy?: BatchBy;
  /** Pairs with a longer side are skipped. */
  maxPositions: number;
}

/**
 * Where the pairs of a split, put in order by their lengths, are cut into batches: by target length and then source
 * length where tokens are counted, by source length and then target length, as fairseq does, where their padding is, too.
 * That depends on how many pairs have which lengths and on nothing else, so it is the same in every epoch, and is known
 * without putting the pairs in order.
 */
export class BatchCuts {
  readonly lengths: PairLengths;
  readonly table: LengthTable;
  /** Pairs with a longer side are skipped. */
  readonly longest: number;
  /** Where each batch starts among the ordered pairs, and the end of the last: [batches + 1]. */
  readonly starts: Int32Array;
  /** Tokens of each batch: [batches]. */
  readonly sourceTokens: Int32Array;
  readonly targetTokens: Int32Array;
  /** Where the pairs of each cell start among the ordered pairs, and the end of the last; skipped ones have none. */
  readonly cellStarts: Int32Array;

  constructor(lengths: PairLengths, { maxTokens, batchBy = 'tokens', maxPositions }: BatchLimits) {
    this.lengths = lengths;
    this.table = lengthTable(lengths, batchBy === 'tokens' ? 'target' : 'source');
    this.longest = Math.min(maxTokens, maxPositions);
    this.cellStarts = new Int32Array(this.table.counts.length + 1);
    const cutter = cutterFor(batchBy, maxTokens);
    this.table.counts.forEach((count, cell) => {
      const [source, target] = [this.table.source[cell], this.table.target[cell]];
      if (this.fits(source, target)) cutter.add(count, source, target);
      this.cellStarts[cell + 1] = cutter.place;
    });
    cutter.finish();
    this.starts = Int32Array.from(cutter.starts);
    this.sourceTokens = Int32Array.from(cutter.sourceTokens);
    this.targetTokens = Int32Array.from(cutter.targetTokens);
  }

  /** Number of batches. */
  get length(): number {
    return this.starts.length - 1;
  }

  /** Pairs that are in a batch. */
  get pairs(): number {
    return this.cellStarts[this.table.counts.length];
  }

  /** Pairs with a side longer than a batch or than the positions of the model. */
  get skipped(): number {
    return this.lengths.sourceLengths.length - this.pairs;
  }

  /** Whether a pair of these lengths is in a batch. */
  fits(source: number, target: number): boolean {
    return source <= this.longest && target <= this.longest;
  }

  /** The first of the skipped pairs. @param most of them */
  firstSkipped(most: number): number[] {
    const { sourceLengths, targetLengths } = this.lengths;
    const found: number[] = [];
    for (let i = 0; found.length < Math.min(most, this.skipped); i++) {
      if (!this.fits(sourceLengths[i], targetLengths[i])) found.push(i);
    }
    return [...this.name(Int32Array.from(found))];
  }

  /** Pairs with the lengths of those in a batch, which take what that batch takes: the first there are. */
  pairsLike(batch: number): Int32Array {
    const { lengths, starts, table } = this;
    const [start, end] = [starts[batch], starts[batch + 1]];
    const wanted = new Map<number, number>();
    for (const cell of this.cellsOf(start, end)) {
      const before = Math.max(start, this.cellStarts[cell]);
      wanted.set(cell, Math.min(end, this.cellStarts[cell + 1]) - before);
    }
    const found = new Int32Array(end - start);
    for (let i = 0, count = 0; count < found.length; i++) {
      const [source, target] = [lengths.sourceLengths[i], lengths.targetLengths[i]];
      const left = wanted.get(table.cellOf(source, target)) ?? 0;
      if (left === 0) continue;
      wanted.set(table.cellOf(source, target), left - 1);
      found[count++] = i;
    }
    return this.name(found);
  }

  /** Puts the indices of pairs in their source in place of those in what an epoch has of it. */
  name(places: Int32Array): Int32Array {
    const { indices } = this.lengths;
    if (indices !== undefined) for (let i = 0; i < places.length; i++) places[i] = indices[places[i]];
    return places;
  }

  /** The cells that have pairs between two places of the order. */
  cellsOf(start: number, end: number): number[] {
    const cells: number[] = [];
    for (let cell = 0; this.cellStarts[cell] < end && cell < this.table.counts.length; cell++) {
      const isThere = this.cellStarts[cell + 1] > Math.max(start, this.cellStarts[cell]);
      if (isThere) cells.push(cell);
    }
    return cells;
  }
}
