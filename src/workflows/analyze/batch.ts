import { UserError } from '../../common/errors.js';
import type { SettledConfig } from '../../config/schema.js';
import type { Batch } from '../../data/batch.js';
import { type PairSource, readBatch } from '../../data/batch-iterator.js';
import { lengthsOfEpoch } from '../../data/corpus-mix.js';
import { batchOf } from '../../data/epoch-plan.js';
import { ParallelDataset } from '../../data/parallel-dataset.js';
import type { Split } from '../../data/preprocess-options.js';
import { asWritten } from '../../data/right-to-left.js';
import type { Mode } from '../../model/transformer.js';
import type { MeasuredBatch } from '../../report/analysis-data.js';
import { cutPairs } from '../../train/split.js';
import type { TrainingData } from '../train/data.js';

/** Which sentences to look at. */
export interface BatchChoice {
  split: Split;
  /** From 1. */
  batch: number;
  withDropout?: boolean;
}

/** The sentences that are looked at, and with which dropout masks. */
export interface AnalysisBatch {
  batch: Batch;
  measured: MeasuredBatch;
  training: Mode['training'];
}

/**
 * Reads a batch of a split: the training split in the order of the first epoch, so that batch 1 is the one that ω is
 * profiled on; the others in the order of their lengths.
 *
 * @throws UserError where there is no such split or batch
 */
export function openAnalysisBatch(
  config: SettledConfig,
  data: TrainingData,
  { split, batch: number, withDropout }: BatchChoice,
): AnalysisBatch {
  const { destdir, sourceLang, targetLang } = config.data;
  const pairs =
    split === 'train'
      ? data.train
      : asWritten(config.model, ParallelDataset.open(destdir, split, sourceLang, targetLang));
  try {
    const batch = readNumbered(config, pairs, split, number, split === 'train' ? data.resegment : undefined);
    const measured = {
      split,
      number,
      sentences: batch.indices.length,
      sourceTokens: batch.source.tokens.length,
      targetTokens: batch.targetOutput.length,
    };
    return { batch, measured, training: withDropout ? { seed: config.seed, step: 0 } : null };
  } finally {
    if (pairs !== data.train) pairs.close();
  }
}

function readNumbered(
  { model, train, seed }: SettledConfig,
  pairs: PairSource,
  split: string,
  number: number,
  resegment: TrainingData['resegment'],
): Batch {
  const options = {
    maxTokens: train.maxTokens,
    batchBy: train.batchBy,
    maxPositions: model.maxPositions,
    seed,
    epoch: 1,
    rank: 0,
    worldSize: 1,
    shuffle: split === 'train',
  };
  const cuts = cutPairs(split, lengthsOfEpoch(pairs, options), options);
  if (number < 1 || number > cuts.length) {
    throw new UserError({
      problem: `expected a batch from 1 to ${cuts.length}, found ${number}`,
      where: '--batch',
      hint: `The ${split} split makes ${cuts.length} batches of ${train.maxTokens} tokens (--max-tokens).`,
    });
  }
  return readBatch(pairs, batchOf(cuts, options, number - 1), options, resegment);
}
