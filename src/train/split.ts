import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { type BatchOptions, type BatchPlan, type PairLengths, planBatches } from '../data/batch-iterator.js';

/** How many of the skipped pairs a warning names. */
const NAMED = 5;

/**
 * The plan of an epoch of a split, with a warning about pairs that are too long.
 *
 * @throws UserError where no pair is short enough
 */
export function planSplit(name: string, lengths: PairLengths, options: BatchOptions): BatchPlan {
  const plan = planBatches(lengths, options);
  const { skipped } = plan;
  const { maxTokens, maxPositions } = options;
  const limit = Math.min(maxTokens, maxPositions);
  const key = maxTokens < maxPositions ? 'train.max-tokens' : 'model.max-positions';
  const size = lengths.sourceLengths.length;
  if (skipped.length === size) {
    throw new UserError({
      problem: `expected pairs of at most ${limit} tokens a side in the ${name} split, found none among ${size}`,
      where: key,
      hint: size === 0 ? 'The split is empty.' : 'Raise it: even the shortest pair is longer.',
    });
  }
  if (skipped.length > 0) {
    const first = [...skipped.subarray(0, NAMED)].join(', ');
    log.warn(
      `skipped ${skipped.length} of ${size} ${name} pairs with a side of more than ${limit} tokens (${key}): ` +
        `${skipped.length > NAMED ? `${first}, …` : first} (counted from 0)`,
    );
  }
  return plan;
}
