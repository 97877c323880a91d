import { UserError } from '../../common/errors.js';
import { corporaOf } from '../../config/corpus-list.js';
import type { DataConfig } from '../../config/schema.js';
import { atTemperature, CorpusMix, type TrainingSplit } from '../../data/corpus-mix.js';
import { ParallelDataset } from '../../data/parallel-dataset.js';
import { shardName } from '../../data/text-parts.js';

/** The splits of a dataset that are trained on together: `train`, `train1`, … as far as they are there. */
export function trainingShards({ destdir, sourceLang, targetLang }: DataConfig): string[] {
  const shards = [shardName(0)]; // where it is missing, opening it says so
  const isThere = (shard: string): boolean => ParallelDataset.exists(destdir, shard, sourceLang, targetLang);
  while (isThere(shardName(shards.length))) shards.push(shardName(shards.length));
  return shards;
}

/**
 * Opens what a model is trained on, mixed as `data.train` says.
 *
 * @param options.aligned whether pairs are wanted with their links
 * @throws UserError for what is missing or damaged
 */
export function openTrainingSplit(data: DataConfig, options: { aligned?: boolean } = {}): TrainingSplit {
  const { destdir, sourceLang, targetLang } = data;
  const shards = trainingShards(data);
  const corpora = corporaOf(data.train);
  if (corpora !== undefined && corpora.length !== shards.length) {
    throw new UserError({
      problem: `expected as many training splits as data.train has corpora, ${corpora.length}; found ${shards.length} (${shards.join(', ')})`,
      where: destdir,
      hint: 'Make the dataset with `admin-nmt preprocess`; the splits of a prepared one are the corpora in their order.',
    });
  }
  const opened: ParallelDataset[] = [];
  try {
    for (const shard of shards)
      opened.push(ParallelDataset.open(destdir, shard, sourceLang, targetLang, options));
  } catch (error) {
    for (const dataset of opened) dataset.close();
    throw error;
  }
  const weights = atTemperature(
    corpora?.map(({ weight }) => weight) ?? opened.map(() => 1),
    opened.map(({ size }) => size),
    opened.length === 1 ? 1 : data.corpusTemperature,
  );
  const isOne = opened.length === 1 && weights[0] === 1;
  return isOne ? opened[0] : new CorpusMix(opened, weights);
}
