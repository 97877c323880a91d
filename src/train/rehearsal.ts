import type { TrainConfig } from '../config/schema.js';
import { type BatchOptions, type PairSource, type Resegment, readBatch } from '../data/batch-iterator.js';
import type { Transformer } from '../model/transformer.js';
import { tf } from '../ops/tf.js';
import { createSchedule } from './schedules.js';
import { planSplit } from './split.js';
import { Updater } from './update.js';

export interface RehearsalOptions {
  config: TrainConfig;
  seed: number;
  maxPositions: number;
  train: PairSource;
  resegment?: Resegment;
}

/** What a training is going to take. */
export interface Rehearsal {
  /** Of an epoch. */
  updates: number;
  /** Source and target tokens of an epoch. */
  tokens: number;
  /** Tokens of the largest batch, which was tried first. */
  largest: number;
  /** Of one epoch of updates, without validation and saving. */
  seconds: number;
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
  const { config, seed, maxPositions, train, resegment } = options;
  const { maxTokens, updateFreq } = config;
  const place = { epoch: 1, shuffle: true, rank: 0, worldSize: 1 };
  const batching: BatchOptions = { maxTokens, maxPositions, seed, ...place };
  const { batches } = planSplit('train', train, batching);
  const tokensOf = (indices: Int32Array): number =>
    indices.reduce((sum, i) => sum + train.sourceLengths[i] + train.targetLengths[i], 0);
  const sized = batches
    .map((indices) => ({ indices, tokens: tokensOf(indices) }))
    .sort((a, b) => b.tokens - a.tokens);
  const tried = Array.from(
    { length: TIMED },
    (_, i) => sized[Math.floor(((i + 0.5) * sized.length) / TIMED)],
  );
  const updater = new Updater(model, { ...config, seed });
  const schedule = createSchedule(config);
  const timed = { seconds: 0, tokens: 0 };
  try {
    for (const [update, { indices, tokens }] of [sized[0], ...tried].entries()) {
      const started = performance.now();
      const read = Array.from({ length: updateFreq }, () => readBatch(train, indices, batching, resegment));
      const { loss, nll, gradientNorm } = updater.apply(read, update, schedule(update));
      await gradientNorm.data(); // the update is done when its figures are there
      tf.dispose([loss, nll, gradientNorm]);
      if (update === 0) continue; // compiles, allocates
      timed.seconds += (performance.now() - started) / 1000;
      timed.tokens += tokens * updateFreq;
    }
  } finally {
    updater.dispose();
  }
  const tokens = sized.reduce((sum, batch) => sum + batch.tokens, 0);
  return {
    updates: Math.ceil(batches.length / updateFreq),
    tokens,
    largest: sized[0].tokens,
    seconds: (timed.seconds / timed.tokens) * tokens,
    checkpointBytes: 3 * 4 * model.size,
  };
}
