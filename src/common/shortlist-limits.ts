/** How much a lexical shortlist allows, and how much it is learned from. */
export interface ShortlistLimits {
  /** How many of the most frequent target pieces every translation may have. */
  first: number;
  /** How many target pieces each source piece may become. */
  best: number;
  /** Most training pairs to learn from, taken evenly from all of them. */
  pairs: number;
}

export const DEFAULT_LIMITS: Readonly<ShortlistLimits> = { first: 100, best: 100, pairs: 1_000_000 };

/** The least of each that makes sense. */
export const LEAST_LIMITS: Readonly<ShortlistLimits> = { first: 0, best: 1, pairs: 1 };
