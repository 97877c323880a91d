export interface BatchLimits {
  /** Most tokens in a batch; a longer sentence makes a batch of its own. */
  maxTokens: number;
  /** Most sentences in a batch. */
  batchSize: number;
}

/**
 * Groups sentences of like length, the longest first, so that those which finish together are together.
 *
 * @param lengths tokens of each sentence
 * @returns the places of the sentences, batch by batch; each exactly once
 */
export function lengthBatches(lengths: readonly number[], { maxTokens, batchSize }: BatchLimits): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b] - lengths[a] || a - b);
  const batches: number[][] = [];
  let batch: number[] = [];
  let tokens = 0;
  for (const i of order) {
    if (batch.length > 0 && (batch.length >= batchSize || tokens + lengths[i] > maxTokens)) {
      batches.push(batch);
      [batch, tokens] = [[], 0];
    }
    batch.push(i);
    tokens += lengths[i];
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
