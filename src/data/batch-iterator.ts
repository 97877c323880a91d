import { finishNow } from '../common/pieces.js';
import { type Batch, packBatch } from './batch.js';
import { BatchCuts, type BatchLimits } from './batch-cuts.js';
import { EOS } from './dictionary.js';
import { type EpochOptions, type EpochPlan, planEpoch } from './epoch-plan.js';
import type { PairLengths } from './length-table.js';
import type { SentencePair } from './parallel-dataset.js';

/** Pairs that can be read one by one. */
export interface PairSource extends PairLengths {
  pair(index: number): SentencePair;
  /** What an epoch has of them, where that is not all: a function of its arguments alone. */
  readonly draw?: (seed: number, epoch: number) => PairLengths;
  /** Some of them, where they can be read while this thread does something else. */
  pairs?(indices: Int32Array): Promise<SentencePair[]>;
}

export interface BatchOptions extends BatchLimits, EpochOptions {}

/** The plan of an epoch. */
export function planBatches(lengths: PairLengths, options: BatchOptions): EpochPlan {
  return finishNow(planEpoch(new BatchCuts(lengths, options), options));
}

/** Another segmentation of a pair of this index for an epoch (BPE-dropout). */
export type Resegment = (pair: SentencePair, index: number, epoch: number) => SentencePair;

/** How the pairs of an epoch are made into batches. */
export interface Making extends Pick<BatchOptions, 'epoch' | 'maxPositions'> {
  resegment?: Resegment;
}

/** Reads the pairs of a planned batch. */
export function readBatch(
  pairs: PairSource,
  indices: Int32Array,
  { epoch, maxPositions }: Pick<BatchOptions, 'epoch' | 'maxPositions'>,
  resegment?: Resegment,
): Batch {
  const read = Array.from(indices, (index) => pairs.pair(index));
  return makeBatch(read, indices, { epoch, maxPositions, resegment });
}

/** A batch of pairs that were read. */
export function makeBatch(
  read: readonly SentencePair[],
  indices: Int32Array,
  { epoch, maxPositions, resegment }: Making,
): Batch {
  const segmented = read.map((pair, i) => {
    const other = resegment?.(pair, indices[i], epoch) ?? pair;
    const fits = Math.max(other.source.length, other.target.length) <= maxPositions;
    return fits ? other : pair; // a segmentation into more tokens than there are positions is passed over
  });
  return packBatch([...indices], segmented, EOS);
}

/** The batches of an epoch, each read when it is asked for. */
export function* batches(
  pairs: PairSource,
  options: BatchOptions,
  resegment?: Resegment,
): Generator<Batch, void, undefined> {
  for (const indices of planBatches(pairs, options)) {
    yield readBatch(pairs, indices, options, resegment);
  }
}
