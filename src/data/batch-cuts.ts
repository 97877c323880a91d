import { type LengthTable, lengthTable, type PairLengths } from './length-table.js';

export interface BatchLimits {
  /** Most tokens in a batch, counted on the side that has more. */
  maxTokens: number;
  /** Pairs with a longer side are skipped. */
  maxPositions: number;
}

/**
 * Where the pairs of a split, by target length and then source length, are cut into batches: before a pair with which
 * a side would exceed `maxTokens` (there is no padding to count). That depends on how many pairs have which lengths and
 * on nothing else, so it is the same in every epoch, and is known without putting the pairs in order.
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

  constructor(lengths: PairLengths, { maxTokens, maxPositions }: BatchLimits) {
    this.lengths = lengths;
    this.table = lengthTable(lengths);
    this.longest = Math.min(maxTokens, maxPositions);
    this.cellStarts = new Int32Array(this.table.counts.length + 1);
    const cutter = new Cutter(maxTokens);
    this.table.counts.forEach((count, cell) => {
      const [source, target] = [this.table.source[cell], this.table.target[cell]];
      if (this.fits(source, target)) cutter.add(count, source, target);
      this.cellStarts[cell + 1] = cutter.place;
    });
    cutter.cut();
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

/** Cuts pairs that come by their lengths. */
class Cutter {
  readonly starts = [0];
  readonly sourceTokens: number[] = [];
  readonly targetTokens: number[] = [];
  /** Pairs so far. */
  place = 0;
  private source = 0;
  private target = 0;
  private readonly maxTokens: number;

  constructor(maxTokens: number) {
    this.maxTokens = maxTokens;
  }

  /** Adds pairs of the same lengths, neither of which is more than a batch holds. */
  add(count: number, source: number, target: number): void {
    for (let left = count; left > 0; ) {
      const room = Math.min(this.roomFor(source, this.source), this.roomFor(target, this.target));
      const taken = Math.min(left, room);
      this.place += taken;
      this.source += taken * source;
      this.target += taken * target;
      left -= taken;
      if (left > 0) this.cut();
    }
  }

  /** How many more sentences of a length a side takes that has so many tokens. */
  private roomFor(length: number, tokens: number): number {
    return length === 0 ? Infinity : Math.floor((this.maxTokens - tokens) / length);
  }

  /** Ends a batch, where one has begun. */
  cut(): void {
    if (this.place === this.starts[this.starts.length - 1]) return;
    this.starts.push(this.place);
    this.sourceTokens.push(this.source);
    this.targetTokens.push(this.target);
    [this.source, this.target] = [0, 0];
  }
}
