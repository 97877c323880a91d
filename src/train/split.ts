import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { type BatchOptions, type BatchPlan, type PairLengths, planBatches } from '../data/batch-iterator.js';

/** How many of the skipped pairs a warning names. */
const NAMED = 5;

/** The greatest length of a side, and the key that sets it. */
function limitOf({ maxTokens, maxPositions }: BatchOptions): { limit: number; key: string } {
  return {
    limit: Math.min(maxTokens, maxPositions),
    key: maxTokens < maxPositions ? 'train.max-tokens' : 'model.max-positions',
  };
}

/** What the first epoch of a training is planned by. */
export function firstEpoch({
  maxTokens,
  maxPositions,
  seed,
}: Pick<BatchOptions, 'maxTokens' | 'maxPositions' | 'seed'>): BatchOptions {
  return { maxTokens, maxPositions, seed, epoch: 1, shuffle: true, rank: 0, worldSize: 1 };
}

/** The plan of an epoch of a split. @throws UserError where no pair is short enough */
export function planPairs(name: string, lengths: PairLengths, options: BatchOptions): BatchPlan {
  const plan = planBatches(lengths, options);
  const { limit, key } = limitOf(options);
  const size = lengths.sourceLengths.length;
  if (plan.skipped.length === size) {
    throw new UserError({
      problem: `expected pairs of at most ${limit} tokens a side in the ${name} split, found none among ${size}`,
      where: key,
      hint: size === 0 ? 'The split is empty.' : 'Raise it: even the shortest pair is longer.',
    });
  }
  return plan;
}

/** The same, with a warning about pairs that are too long. */
export function planSplit(name: string, lengths: PairLengths, options: BatchOptions): BatchPlan {
  const plan = planPairs(name, lengths, options);
  const { skipped } = plan;
  if (skipped.length > 0) {
    const { limit, key } = limitOf(options);
    const size = lengths.sourceLengths.length;
    const first = [...skipped.subarray(0, NAMED)].join(', ');
    log.warn(
      `skipped ${skipped.length} of ${size} ${name} pairs with a side of more than ${limit} tokens (${key}): ` +
        `${skipped.length > NAMED ? `${first}, …` : first} (counted from 0)`,
    );
  }
  return plan;
}
