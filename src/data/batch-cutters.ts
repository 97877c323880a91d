import type { BatchBy } from '../common/batch-by.js';

/** Cuts pairs that come by their lengths into batches. */
export interface Cutter {
  /** Where each batch starts, and the end of the last: [batches + 1]. */
  readonly starts: readonly number[];
  /** Tokens of each batch: [batches]. */
  readonly sourceTokens: readonly number[];
  readonly targetTokens: readonly number[];
  /** Pairs so far. */
  readonly place: number;
  /** Adds pairs of the same lengths, neither of which is more than a batch holds. */
  add(count: number, source: number, target: number): void;
  /** Ends the last batch, where one has begun. */
  finish(): void;
}

export function cutterFor(batchBy: BatchBy, maxTokens: number): Cutter {
  return batchBy === 'tokens' ? new TokenCutter(maxTokens) : new PaddedCutter(maxTokens);
}

/** Ends a batch before a pair with which a side would exceed `maxTokens`: there is no padding to count. */
class TokenCutter implements Cutter {
  readonly starts = [0];
  readonly sourceTokens: number[] = [];
  readonly targetTokens: number[] = [];
  place = 0;
  private source = 0;
  private target = 0;
  private readonly maxTokens: number;

  constructor(maxTokens: number) {
    this.maxTokens = maxTokens;
  }

  add(count: number, source: number, target: number): void {
    for (let left = count; left > 0; ) {
      const room = Math.min(this.roomFor(source, this.source), this.roomFor(target, this.target));
      const taken = Math.min(left, room);
      this.place += taken;
      this.source += taken * source;
      this.target += taken * target;
      left -= taken;
      if (left > 0) this.finish();
    }
  }

  /** How many more sentences of a length a side takes that has so many tokens. */
  private roomFor(length: number, tokens: number): number {
    return length === 0 ? Infinity : Math.floor((this.maxTokens - tokens) / length);
  }

  finish(): void {
    if (this.place === this.starts[this.starts.length - 1]) return;
    this.starts.push(this.place);
    this.sourceTokens.push(this.source);
    this.targetTokens.push(this.target);
    [this.source, this.target] = [0, 0];
  }
}

/** Pairs of the same lengths. */
interface Run {
  count: number;
  source: number;
  target: number;
}

/** fairseq's --required-batch-size-multiple, at its default. */
const MULTIPLE = 8;

/**
 * Cuts as fairseq's `batch_by_size_fast` does (fairseq/data/data_utils_fast.pyx of the official code): a batch ends
 * before a pair with which sentences × longest sentence would exceed `maxTokens`, and is then cut back to a multiple of
 * 8 pairs, where it has as many; the pairs that are left over begin the next one. As there, the pair that did not fit is
 * added to those without another look, so that a batch of at most 8 pairs may exceed `maxTokens` where lengths jump.
 */
class PaddedCutter implements Cutter {
  readonly starts = [0];
  readonly sourceTokens: number[] = [];
  readonly targetTokens: number[] = [];
  place = 0;
  private readonly maxTokens: number;
  /** The batch that has begun. */
  private runs: Run[] = [];
  private size = 0;
  private longest = 0;

  constructor(maxTokens: number) {
    this.maxTokens = maxTokens;
  }

  add(count: number, source: number, target: number): void {
    for (let left = count; left > 0; ) {
      const longest = Math.max(this.longest, source, target);
      const room = Math.floor(this.maxTokens / longest) - this.size;
      if (room < 1) this.cut();
      const taken = Math.min(left, Math.max(room, 1));
      this.take({ count: taken, source, target });
      this.place += taken;
      left -= taken;
    }
  }

  finish(): void {
    if (this.size > 0) this.close(this.size);
  }

  /** Ends the batch at a multiple of 8; the rest begins the next one. */
  private cut(): void {
    this.close(this.size < MULTIPLE ? this.size : this.size - (this.size % MULTIPLE));
  }

  /** Ends the batch after its first so many pairs. */
  private close(size: number): void {
    const runs = this.runs;
    [this.runs, this.size, this.longest] = [[], 0, 0];
    let [open, source, target] = [size, 0, 0];
    for (const run of runs) {
      const taken = Math.min(run.count, open);
      open -= taken;
      source += taken * run.source;
      target += taken * run.target;
      if (taken < run.count) this.take({ ...run, count: run.count - taken });
    }
    this.starts.push(this.starts[this.starts.length - 1] + size);
    this.sourceTokens.push(source);
    this.targetTokens.push(target);
  }

  private take(run: Run): void {
    this.runs.push(run);
    this.size += run.count;
    this.longest = Math.max(this.longest, run.source, run.target);
  }
}
