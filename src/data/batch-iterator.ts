import { Purpose, RandomStream } from '../common/rng.js';
import { type Batch, packBatch } from './batch.js';
import { EOS } from './dictionary.js';
import type { SentencePair } from './parallel-dataset.js';

/** What the plan of an epoch depends on beside the options: tokens of each sentence, `</s>` counted, [N]. */
export interface PairLengths {
  readonly sourceLengths: Int32Array;
  readonly targetLengths: Int32Array;
}

/** Pairs that can be read one by one. */
export interface PairSource extends PairLengths {
  pair(index: number): SentencePair;
}

export interface BatchOptions {
  /** Most tokens in a batch, counted on the side that has more. */
  maxTokens: number;
  /** Pairs with a longer side are skipped. */
  maxPositions: number;
  seed: number;
  /** From 1. */
  epoch: number;
  /** Which of `worldSize` processes this is, from 0. */
  rank: number;
  worldSize: number;
  /** False keeps the batches in the order of their lengths, the same in every epoch. */
  shuffle: boolean;
}

export interface BatchPlan {
  /** Indices of the pairs of each batch of this rank, in the order of the epoch. */
  batches: Int32Array[];
  /** Pairs with a side longer than a batch or than the positions of the model, in ascending order. */
  skipped: Int32Array;
}

/**
 * Plans an epoch: a function of its arguments alone. Pairs are ordered by target length, then source length, ties
 * at random; cut into batches where a side would exceed `maxTokens` (there is no padding to count); the batches are
 * shuffled and dealt out to the ranks in turn, so that one rank has at most one batch more than another.
 */
export function planBatches(lengths: PairLengths, options: BatchOptions): BatchPlan {
  const { maxTokens, maxPositions, seed, epoch, rank, worldSize, shuffle } = options;
  const { sourceLengths, targetLengths } = lengths;
  const longest = Math.min(maxTokens, maxPositions);
  const fits = (i: number): boolean => sourceLengths[i] <= longest && targetLengths[i] <= longest;
  const indices = Int32Array.from(sourceLengths.keys());
  const kept = indices.filter(fits);
  const random = (site: number) => new RandomStream({ seed, step: epoch, purpose: Purpose.shuffle, site });
  if (shuffle) random(0).shuffle(kept);
  const ordered = sortByLength(sortByLength(kept, sourceLengths), targetLengths);
  const batches = cut(ordered, lengths, maxTokens);
  if (shuffle) random(1).shuffle(batches);
  return {
    batches: batches.filter((_, i) => i % worldSize === rank),
    skipped: indices.filter((i) => !fits(i)),
  };
}

/** Stable counting sort of indices by their lengths, shortest first. */
function sortByLength(indices: Int32Array, lengths: Int32Array): Int32Array {
  const longest = indices.reduce((most, index) => Math.max(most, lengths[index]), 0);
  const places = new Int32Array(longest + 2);
  for (const index of indices) places[lengths[index] + 1]++;
  for (let length = 1; length < places.length; length++) places[length] += places[length - 1];
  const sorted = new Int32Array(indices.length);
  for (const index of indices) sorted[places[lengths[index]]++] = index;
  return sorted;
}

function cut(
  ordered: Int32Array,
  { sourceLengths, targetLengths }: PairLengths,
  maxTokens: number,
): Int32Array[] {
  const batches: Int32Array[] = [];
  let [start, source, target] = [0, 0, 0];
  ordered.forEach((index, place) => {
    source += sourceLengths[index];
    target += targetLengths[index];
    if (Math.max(source, target) > maxTokens) {
      batches.push(ordered.subarray(start, place));
      [start, source, target] = [place, sourceLengths[index], targetLengths[index]];
    }
  });
  if (start < ordered.length) batches.push(ordered.subarray(start));
  return batches;
}

/** Another segmentation of a pair of this index for an epoch (BPE-dropout). */
export type Resegment = (pair: SentencePair, index: number, epoch: number) => SentencePair;

/** Reads the pairs of a planned batch. */
export function readBatch(
  pairs: PairSource,
  indices: Int32Array,
  { epoch, maxPositions }: Pick<BatchOptions, 'epoch' | 'maxPositions'>,
  resegment?: Resegment,
): Batch {
  const read = Array.from(indices, (index) => {
    const pair = pairs.pair(index);
    const other = resegment?.(pair, index, epoch) ?? pair;
    const fits = Math.max(other.source.length, other.target.length) <= maxPositions;
    return fits ? other : pair; // a segmentation into more tokens than there are positions is passed over
  });
  return packBatch([...indices], read, EOS);
}

/** The batches of an epoch, each read when it is asked for. */
export function* batches(
  pairs: PairSource,
  options: BatchOptions,
  resegment?: Resegment,
): Generator<Batch, void, undefined> {
  for (const indices of planBatches(pairs, options).batches) {
    yield readBatch(pairs, indices, options, resegment);
  }
}
