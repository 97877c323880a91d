import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { BatchCuts, type BatchLimits } from '../data/batch-cuts.js';
import type { BatchOptions } from '../data/batch-iterator.js';
import type { PairLengths } from '../data/length-table.js';

/** How many of the skipped pairs a warning names. */
const NAMED = 5;

/** The greatest length of a side, and the key that sets it. */
function limitOf({ maxTokens, maxPositions }: BatchLimits): { limit: number; key: string } {
  return {
    limit: Math.min(maxTokens, maxPositions),
    key: maxTokens < maxPositions ? 'train.max-tokens' : 'model.max-positions',
  };
}

/** What the first epoch of a training is planned by. */
export function firstEpoch({
  maxTokens,
  batchBy,
  maxPositions,
  seed,
}: Required<Pick<BatchOptions, 'maxTokens' | 'batchBy' | 'maxPositions' | 'seed'>>): BatchOptions {
  return { maxTokens, batchBy, maxPositions, seed, epoch: 1, shuffle: true, rank: 0, worldSize: 1 };
}

/** The batches that a split is cut into. @throws UserError where no pair is short enough */
export function cutPairs(name: string, lengths: PairLengths, limits: BatchLimits): BatchCuts {
  const cuts = new BatchCuts(lengths, limits);
  if (cuts.pairs === 0) {
    const { limit, key } = limitOf(limits);
    const size = lengths.sourceLengths.length;
    throw new UserError({
      problem: `expected pairs of at most ${limit} tokens a side in the ${name} split, found none among ${size}`,
      where: key,
      hint: size === 0 ? 'The split is empty.' : 'Raise it: even the shortest pair is longer.',
    });
  }
  return cuts;
}

/** The same, with a warning about pairs that are too long. */
export function cutSplit(name: string, lengths: PairLengths, limits: BatchLimits): BatchCuts {
  const cuts = cutPairs(name, lengths, limits);
  const { skipped } = cuts;
  if (skipped > 0) {
    const { limit, key } = limitOf(limits);
    const size = lengths.sourceLengths.length;
    const first = cuts.firstSkipped(NAMED).join(', ');
    log.warn(
      `skipped ${skipped} of ${size} ${name} pairs with a side of more than ${limit} tokens (${key}): ` +
        `${skipped > NAMED ? `${first}, …` : first} (counted from 0)`,
    );
  }
  return cuts;
}
