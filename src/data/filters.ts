export interface FilterOptions {
  /** Least tokens of a side. */
  readonly minLength: number;
  /** Most tokens of a side. */
  readonly maxLength: number;
  /** Most tokens of one side for each token of the other; null for no limit. */
  readonly maxRatio: number | null;
  /** Keep the first of identical pairs alone. */
  readonly deduplicate: boolean;
}

/** Why a pair was dropped, by the names of the config, in the order in which they are tried. */
export const DROP_REASONS = ['min-length', 'max-length', 'max-ratio', 'duplicate'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** How many pairs were dropped, each under one reason. */
export type Dropped = Record<DropReason, number>;

/** Nothing was dropped yet. */
export function countDrops(): Dropped {
  return { 'min-length': 0, 'max-length': 0, 'max-ratio': 0, duplicate: 0 };
}

/**
 * Why a pair is dropped by its lengths; undefined where it is kept, unless it is a duplicate.
 *
 * @param sourceLength in tokens, `</s>` not counted; targetLength likewise
 */
export function reasonToDrop(
  { minLength, maxLength, maxRatio }: FilterOptions,
  sourceLength: number,
  targetLength: number,
): DropReason | undefined {
  const shorter = Math.min(sourceLength, targetLength);
  const longer = Math.max(sourceLength, targetLength);
  if (shorter < minLength) return 'min-length';
  if (longer > maxLength) return 'max-length';
  return maxRatio !== null && longer > maxRatio * shorter ? 'max-ratio' : undefined;
}
