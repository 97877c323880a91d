import process from 'node:process';
import type { TrainConfig } from '../config/schema.js';
import type { Transformer } from '../model/transformer.js';
import { matrixElements } from '../model/work.js';
import { checkpointBytes, Trial, type TrialOptions } from './trial.js';

export interface RehearsalOptions extends TrialOptions {
  config: TrainConfig;
}

/** What a training is going to take. */
export interface Rehearsal {
  /** Of an epoch. */
  updates: number;
  /** Source and target tokens of an epoch. */
  tokens: number;
  /** Operations on floats in the linear maps of an epoch, forward and backward. */
  operations: number;
  /** Tokens of the largest batch, which was tried first. */
  largest: number;
  /** Of one epoch of updates, without validation and saving. */
  seconds: number;
  /** Most memory, as a trial tells it; what the process took so far where the backend does not tell its own. */
  memoryBytes: number;
  /** Weights and both moments, as a checkpoint holds them. */
  checkpointBytes: number;
}

/** Updates that are timed after the first one, of batches of all sizes. */
const TIMED = 4;

/**
 * Does a few updates as training would, the largest batch first, so that what does not fit fails now, and times the
 * others. The model is no longer what it was.
 */
export async function rehearse(model: Transformer, options: RehearsalOptions): Promise<Rehearsal> {
  const { maxTokens, updateFreq } = options.config;
  const trial = new Trial(model, options);
  try {
    const batches = trial.plan(maxTokens);
    if (options.memory === null) await trial.update(batches[0]); // compiles, allocates
    const memoryBytes =
      options.memory === null ? process.resourceUsage().maxRSS * 1024 : await trial.measure(maxTokens);
    const timed = { seconds: 0, tokens: 0 };
    for (let i = 0; i < TIMED; i++) {
      const batch = batches[Math.floor(((i + 0.5) * batches.length) / TIMED)];
      timed.seconds += await trial.update(batch);
      timed.tokens += batch.tokens;
    }
    const tokens = batches.reduce((sum, batch) => sum + batch.tokens, 0);
    const target = batches.reduce((sum, batch) => sum + batch.targetTokens, 0);
    const elements = matrixElements(model.config, model.vocabulary);
    return {
      updates: Math.ceil(batches.length / updateFreq),
      tokens,
      operations: 6 * (elements.source * (tokens - target) + elements.target * target),
      largest: batches[0].tokens,
      seconds: (timed.seconds / timed.tokens) * tokens,
      memoryBytes,
      checkpointBytes: checkpointBytes(model, options.config),
    };
  } finally {
    trial.dispose();
  }
}
