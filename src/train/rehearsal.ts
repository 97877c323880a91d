import process from 'node:process';
import type { TrainConfig } from '../config/schema.js';
import type { Transformer } from '../model/transformer.js';
import { matrixElements } from '../model/work.js';
import { bucketSizes } from './gradient-buckets.js';
import { checkpointBytes, type SizedBatch, Trial, type TrialOptions } from './trial.js';

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
  /** Of one epoch: to plan it, and its updates, without validation and saving. */
  seconds: number;
  /** Most memory, as a trial tells it; what the process took so far where the backend does not tell its own. */
  memoryBytes: number;
  /** Weights and both moments, as a checkpoint holds them. */
  checkpointBytes: number;
  /** What the time of an epoch is made of: seconds of a token, and of what is done once an update. */
  secondsOfToken: number;
  secondsOfUpdate: number;
  /** Tokens of each batch of the first epoch, in its order. */
  batches: Int32Array;
  /** Bytes of the gradients of an update, by the bucket that several processes would sum them in. */
  bucketBytes: number[];
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
    const tokens = batches.reduce((sum, batch) => sum + batch.tokens, 0);
    const updates = Math.ceil(batches.length / updateFreq);
    const found = await time(trial, batches, updateFreq);
    const target = batches.reduce((sum, batch) => sum + batch.targetTokens, 0);
    const elements = matrixElements(model.config, model.vocabulary);
    return {
      updates,
      tokens,
      operations: 6 * (elements.source * (tokens - target) + elements.target * target),
      largest: batches[0].tokens,
      seconds: found.ofToken * tokens + found.ofUpdate * updates + trial.planningTime(maxTokens),
      memoryBytes,
      checkpointBytes: checkpointBytes(model, options.config),
      secondsOfToken: found.ofToken,
      secondsOfUpdate: found.ofUpdate,
      batches: trial.tokensInOrder(maxTokens),
      bucketBytes: bucketSizes(model.trainable.map(({ size }) => size)).map((size) => 4 * size),
    };
  } finally {
    trial.dispose();
  }
}

/**
 * Seconds of a token and, where several batches make an update, of what is done once an update (the step of the
 * optimizer): what a second batch adds is of its tokens alone.
 */
export async function time(
  trial: Pick<Trial, 'update'>,
  batches: readonly SizedBatch[],
  updateFreq: number,
): Promise<{ ofToken: number; ofUpdate: number }> {
  const seconds = [0, 0]; // of updates of one batch, and of two
  let tokens = 0;
  for (let i = 0; i < TIMED; i++) {
    const batch = batches[Math.floor(((i + 0.5) * batches.length) / TIMED)];
    tokens += batch.tokens;
    seconds[0] += await trial.update(batch, 1);
    if (updateFreq > 1) seconds[1] += await trial.update(batch, 2);
  }
  const [one, two] = seconds;
  if (updateFreq === 1) return { ofToken: one / tokens, ofUpdate: 0 };
  const second = Math.min(one, Math.max(0, two - one));
  return { ofToken: second / tokens, ofUpdate: (one - second) / TIMED };
}
