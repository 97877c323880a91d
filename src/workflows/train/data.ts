import * as path from 'node:path';
import { canonicalHash } from '../../common/canonical-hash.js';
import { UserError } from '../../common/errors.js';
import type { Config } from '../../config/schema.js';
import type { Batch } from '../../data/batch.js';
import { type Resegment, readBatch } from '../../data/batch-iterator.js';
import { lengthsOfEpoch, type TrainingSplit } from '../../data/corpus-mix.js';
import { Dictionary } from '../../data/dictionary.js';
import { batchOf } from '../../data/epoch-plan.js';
import { ParallelDataset } from '../../data/parallel-dataset.js';
import { asWritten, resegmentBackwards } from '../../data/right-to-left.js';
import { cutPairs, firstEpoch } from '../../train/split.js';
import { openTrainingSplit } from '../preprocess/training-split.js';
import { createResegment } from './resegment.js';

/** What a model is trained on: targets from right to left where it writes so. */
export interface TrainingData {
  train: TrainingSplit;
  /** Null where the dataset has no such split. */
  valid: TrainingSplit | null;
  source: Dictionary;
  target: Dictionary;
  /** Names the training split and its dictionaries. */
  hash: string;
  resegment?: Resegment;
  /** The first batch of the first epoch. */
  firstBatch(maxTokens: number): Batch;
  close(): void;
}

/** Opens `data.destdir`. @throws UserError for what is missing, damaged, or at odds with the config */
export function openTrainingData({
  data,
  model,
  train: { batchBy, guidedAlignment },
  seed,
}: Config): TrainingData {
  const { maxPositions, shareEmbeddings, rightToLeft } = model;
  const { destdir, sourceLang, targetLang } = data;
  const [source, target] = [sourceLang, targetLang].map((language) =>
    Dictionary.load(path.join(destdir, `dict.${language}.txt`)),
  );
  if (shareEmbeddings === 'all' && source.hash !== target.hash) {
    throw new UserError({
      problem: `model.share-embeddings: all needs one dictionary for both languages, found two that differ, of ${source.size} and ${target.size} symbols`,
      where: destdir,
      hint: 'Set model.share-embeddings to decoder or none, or make a dataset with a joint dictionary.',
    });
  }
  const anew = createResegment(data, seed, source, target);
  const resegment = rightToLeft && anew !== undefined ? resegmentBackwards(anew) : anew;
  const guided = guidedAlignment > 0;
  const train = asWritten(model, openTrainingSplit(data, { aligned: guided }));
  const opened = openValidation(data, guided);
  const valid = opened && asWritten(model, opened);
  return {
    train,
    valid,
    source,
    target,
    hash: canonicalHash([train.hash, source.hash, target.hash]),
    resegment,
    firstBatch: (maxTokens) => {
      const options = firstEpoch({ maxTokens, batchBy, maxPositions, seed });
      const first = batchOf(cutPairs('train', lengthsOfEpoch(train, options), options), options, 0);
      return readBatch(train, first, options, resegment);
    },
    close: () => {
      train.close();
      valid?.close();
    },
  };
}

/** The validation split, if there is one; it may have no alignments. */
function openValidation(
  { destdir, sourceLang, targetLang }: Config['data'],
  guided: boolean,
): ParallelDataset | null {
  const which = [destdir, 'valid', sourceLang, targetLang] as const;
  if (!ParallelDataset.exists(...which)) return null;
  return ParallelDataset.open(...which, { aligned: guided && ParallelDataset.isAligned(...which) });
}
