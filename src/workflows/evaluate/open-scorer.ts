import type { Config } from '../../config/schema.js';
import type { ForcedAttention } from '../../decode/alignment/attention.js';
import type { CheckpointLocation, WeightsKind } from '../../decode/checkpoint-location.js';
import { forcedEnsemble } from '../../decode/ensemble.js';
import type { ForcedLogProbs } from '../../decode/forced-scores.js';
import { loadModel } from '../../decode/load-model.js';
import { attentionAsRead, logProbsAsRead } from '../../decode/reading-order.js';
import type { LineCodec } from '../../decode/text-codec.js';
import type { AttentionChoice } from '../../model/attention-matrix.js';
import { ForcedDecoder } from '../../model/forced-decoder.js';
import { PreparedLinears } from '../../model/pass.js';
import { attentionChoice } from '../attention-choice.js';
import { findMembers, type Member, tellMembers } from '../ensemble.js';
import { startDecoding } from '../open-model.js';

/** Trained models in memory that score translations which are given. */
export interface OpenScorer {
  codec: LineCodec;
  maxPositions: number;
  logProbs: ForcedLogProbs;
  /** What target tokens attend to in the source; that of the first model of an ensemble. */
  attention: ForcedAttention;
  dispose(): void;
}

/**
 * Starts the backend of the config and loads a model, and those that are its ensemble.
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
  const { precision, ensembleAverage, ensembleWeights } = config.decode;
  const averaging = { average: ensembleAverage, weights: ensembleWeights };
  const { members, codec, maxPositions } = findMembers(location, config);
  const choice = attentionChoice(config);
  const scorers = members.map((member) => loadScorer(member, precision, choice, weights));
  tellMembers(members);
  const logProbs = scorers.map((scorer) => scorer.logProbs);
  return {
    codec,
    maxPositions,
    attention: scorers[0].attention,
    logProbs: logProbs.length === 1 ? logProbs[0] : forcedEnsemble(logProbs, averaging),
    dispose: () => {
      for (const scorer of scorers) scorer.dispose();
    },
  };
}

function loadScorer(
  { location, config, vocabulary }: Member,
  precision: Config['decode']['precision'],
  choice: AttentionChoice,
  weights: WeightsKind | undefined,
): Pick<OpenScorer, 'logProbs' | 'attention' | 'dispose'> {
  const model = loadModel(location, config, vocabulary, weights, precision);
  const prepared = new PreparedLinears();
  const decoder = new ForcedDecoder(model, precision, prepared);
  const logProbs: ForcedLogProbs = (batch) => decoder.logProbs(batch);
  const attention: ForcedAttention = (batch) => decoder.attention(batch, choice);
  const { rightToLeft } = config.model;
  return {
    logProbs: rightToLeft ? logProbsAsRead(logProbs) : logProbs,
    attention: rightToLeft ? attentionAsRead(attention) : attention,
    dispose: () => {
      prepared.dispose();
      model.dispose();
    },
  };
}
