export interface BatchLimits {
  /** Most tokens in a batch; a longer sentence makes a batch of its own. */
  maxTokens: number;
  /** Most sentences in a batch. */
  batchSize: number;
}

/** Sentences that wait for their batch, the longest first: those of like length, which finish together, are together. */
export class LengthQueue {
  private readonly lengths: readonly number[];
  private readonly order: readonly number[];
  private next = 0;

  /** @param lengths tokens of each sentence */
  constructor(lengths: readonly number[]) {
    this.lengths = lengths;
    this.order = lengths.map((_, i) => i).sort((a, b) => lengths[b] - lengths[a] || a - b);
  }

  /**
   * The places of the next sentences, as many as there is room for.
   *
   * @param alone whether the first one is given however long it is
   */
  take({ maxTokens, batchSize }: BatchLimits, alone: boolean): number[] {
    const taken: number[] = [];
    let tokens = 0;
    for (; this.next < this.order.length && taken.length < batchSize; this.next++) {
      const place = this.order[this.next];
      tokens += this.lengths[place];
      if (tokens > maxTokens && !(alone && taken.length === 0)) break;
      taken.push(place);
    }
    return taken;
  }
}

/**
 * Groups sentences of like length, the longest first.
 *
 * @param lengths tokens of each sentence
 * @returns the places of the sentences, batch by batch; each exactly once
 */
export function lengthBatches(lengths: readonly number[], limits: BatchLimits): number[][] {
  const queue = new LengthQueue(lengths);
  const batches: number[][] = [];
  for (let batch = queue.take(limits, true); batch.length > 0; batch = queue.take(limits, true))
    batches.push(batch);
  return batches;
}
