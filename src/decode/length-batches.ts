export interface BatchLimits {
  /** Most tokens in a batch; a longer sentence makes a batch of its own. */
  maxTokens: number;
  /** Most sentences in a batch. */
  batchSize: number;
}

/** The places of sentences by falling length, so that those which finish together are together. */
export function longestFirst(lengths: readonly number[]): Int32Array {
  return Int32Array.from(lengths.keys()).sort((a, b) => lengths[b] - lengths[a] || a - b);
}

/**
 * Where the sentences of a batch end that begins at `start`: as many as there is room for.
 *
 * @param lengths tokens of the sentences in their order
 * @param alone whether the first is taken however long it is
 */
export function endOfBatch(
  lengths: ArrayLike<number>,
  start: number,
  { maxTokens, batchSize }: BatchLimits,
  alone: boolean,
): number {
  let end = start;
  for (let tokens = 0; end < lengths.length && end - start < batchSize; end++) {
    tokens += lengths[end];
    if (tokens > maxTokens && !(alone && end === start)) break;
  }
  return end;
}

/**
 * Groups sentences of like length, the longest first.
 *
 * @param lengths tokens of each sentence
 * @returns the places of the sentences, batch by batch; each exactly once
 */
export function lengthBatches(lengths: readonly number[], limits: BatchLimits): number[][] {
  const order = longestFirst(lengths);
  const ordered = order.map((place) => lengths[place]);
  const batches: number[][] = [];
  for (let start = 0; start < order.length; ) {
    const end = endOfBatch(ordered, start, limits, true);
    batches.push([...order.subarray(start, end)]);
    start = end;
  }
  return batches;
}
