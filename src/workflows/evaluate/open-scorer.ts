import { log } from '../../common/log.js';
import type { Config } from '../../config/schema.js';
import type { CheckpointLocation, WeightsKind } from '../../decode/checkpoint-location.js';
import type { ForcedLogProbs } from '../../decode/forced-scores.js';
import { loadCodec, loadModel } from '../../decode/load-model.js';
import type { TextCodec } from '../../decode/text-codec.js';
import { ForcedDecoder } from '../../model/forced-decoder.js';
import { PreparedLinears } from '../../model/pass.js';
import { startDecoding } from '../open-model.js';

/** A trained model in memory that scores translations which are given. */
export interface OpenScorer {
  codec: TextCodec;
  logProbs: ForcedLogProbs;
  dispose(): void;
}

/**
 * Starts the backend of the config and loads a model.
 *
 * @param weights which ones; by default those that the run validates
 * @throws UserError for what is missing or damaged
 */
export async function openScorer(
  location: CheckpointLocation,
  config: Config,
  weights?: WeightsKind,
): Promise<OpenScorer> {
  await startDecoding(config);
  const { precision } = config.decode;
  const { codec, vocabulary, tokenized } = loadCodec(location.runDirectory, config.data);
  const model = loadModel(location, config, vocabulary, weights, precision);
  log.info(`Model: ${location.checkpoint}`);
  if (!tokenized) log.info('No tokenizer in the run directory: tokens are parted by white space.');
  const prepared = new PreparedLinears();
  const decoder = new ForcedDecoder(model, precision, prepared);
  return {
    codec,
    logProbs: (batch) => decoder.logProbs(batch),
    dispose: () => {
      prepared.dispose();
      model.dispose();
    },
  };
}
