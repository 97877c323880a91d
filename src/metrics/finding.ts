/**
 * What a paired test says of two systems under a metric, in words: they differ by more than chance; chance may have made the
 * difference; every segment counts the same, though the texts are not; the texts are one.
 */
export type Finding = 'differs' | 'may be chance' | 'same counts' | 'same text';

/** The probability below which chance is held to be unlikely. */
const LEVEL = 0.05;

/** What a finding rests on. */
export interface Evidence {
  /** sacreBLEU's: of trials whose difference exceeds the one found. */
  pValue: number;
  /** The same of trials whose difference is as large as the one found, or larger. */
  pWithTies: number;
  /** Segments whose statistics are not the same in both systems. */
  differing: number;
}

/**
 * sacreBLEU's p-value leaves out the trials that equal what was found. Where few segments differ most of them do: of a system
 * and itself all of them, and p is as small as the number of trials lets it be. So ties must count for a difference to be
 * called one; and where k segments differ, fair coins that change their sides make the most one-sided outcome, or its mirror
 * image, with probability 2^(1 − k), which for five is more than LEVEL.
 */
export function findingOf({ pValue, pWithTies, differing }: Evidence): Finding {
  if (differing === 0) return 'same counts';
  return Math.max(pValue, pWithTies, 2 ** (1 - differing)) <= LEVEL ? 'differs' : 'may be chance';
}
