import { PairSet } from './pair-set.js';

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

/** Decides which pairs of the training text are kept and counts those that are not, each under one reason. */
export class PairFilter {
  readonly dropped: Record<DropReason, number> = {
    'min-length': 0,
    'max-length': 0,
    'max-ratio': 0,
    duplicate: 0,
  };
  private readonly options: FilterOptions;
  private readonly seen: PairSet | undefined;

  constructor(options: FilterOptions) {
    this.options = options;
    this.seen = options.deduplicate ? new PairSet() : undefined;
  }

  /** @param sourceLength in tokens, `</s>` not counted; targetLength likewise */
  keeps(source: string, target: string, sourceLength: number, targetLength: number): boolean {
    const reason = this.reasonToDrop(source, target, sourceLength, targetLength);
    if (reason !== undefined) this.dropped[reason]++;
    return reason === undefined;
  }

  private reasonToDrop(
    source: string,
    target: string,
    sourceLength: number,
    targetLength: number,
  ): DropReason | undefined {
    const { minLength, maxLength, maxRatio } = this.options;
    const shorter = Math.min(sourceLength, targetLength);
    const longer = Math.max(sourceLength, targetLength);
    if (shorter < minLength) return 'min-length';
    if (longer > maxLength) return 'max-length';
    if (maxRatio !== null && longer > maxRatio * shorter) return 'max-ratio';
    return this.seen === undefined || this.seen.add(source, target) ? undefined : 'duplicate';
  }
}
