/** What the size of a batch counts: the tokens of a side, or its sentences times the longest of both sides. */
export const BATCH_BY = ['tokens', 'padded-tokens'] as const;

export type BatchBy = (typeof BATCH_BY)[number];

/** Tokens of a batch in words. */
export function describeBatchSize(maxTokens: number | 'auto', batchBy: BatchBy): string {
  return `${maxTokens} tokens${batchBy === 'tokens' ? '' : ' with their padding'}`;
}
