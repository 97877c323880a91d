import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after } from 'node:test';
import { type BackendName, initBackend } from '../../src/backend/init.js';
import { log } from '../../src/common/log.js';
import { camelizeKeys } from '../../src/config/camel.js';
import { configSchema, type ModelConfig, type TrainConfig } from '../../src/config/schema.js';
import type { PairSource } from '../../src/data/batch-iterator.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import type { Continuation } from '../../src/train/check-origin.js';
import { type Capturable, copiedValues, imageOf, readCheckpoint } from '../../src/train/checkpoint.js';
import { LAST_CHECKPOINT } from '../../src/train/checkpoint-folders.js';
import { writeImage } from '../../src/train/checkpoint-job.js';
import { takeOf } from '../../src/train/checkpoint-ring.js';
import { type CheckpointOrigin, INITIAL_STATE, type TrainState } from '../../src/train/state.js';
import { Trainer } from '../../src/train/trainer.js';
import type { TrainerOptions, TrainingEnd } from '../../src/train/training.js';
import { quickBackends } from '../ops/backends.js';
import { writeWarm } from './warm-saver.js';

/** The backends that can be used here; cpu and wasm are always among them. */
export const BACKENDS = quickBackends;

log.setQuiet(true); // no progress among the results

export async function useBackend(name: BackendName, threads: number | null = null): Promise<void> {
  await initBackend(name, threads);
}

/** A new empty folder, removed after the tests of the file. */
export function scratchFolder(): string {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-train-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const VOCABULARY = { source: 16, target: 16 };

export const ORIGIN: CheckpointOrigin & Continuation = {
  settings: { seed: 1 },
  dataHash: 'd0',
  vocabulary: { aa: { size: 16, hash: 'a0' }, bb: { size: 16, hash: 'b0' } },
};

const defaults = camelizeKeys(configSchema.parse({}));

export function tinyModelConfig(changes: Partial<ModelConfig> = {}): ModelConfig {
  return {
    ...defaults.model,
    residual: 'post-ln',
    embedDim: 8,
    ffnEmbedDim: 12,
    attentionHeads: 2,
    encoder: { layers: 1 },
    decoder: { layers: 1 },
    maxPositions: 16,
    ...changes,
  };
}

export function tinyTrainConfig(changes: Partial<TrainConfig> = {}): TrainConfig {
  return {
    ...defaults.train,
    lr: 0.01,
    lrScheduler: 'constant',
    warmupUpdates: 0,
    maxTokens: 24,
    logInterval: 1,
    ...changes,
  };
}

/** Pairs whose target is their source, of the letters 4 … 15; lengths 2 … 7, `</s>` counted. Each letter is linked to itself. */
export function copyTask(size: number): PairSource {
  const sentences = Array.from({ length: size }, (_, i) =>
    Int32Array.from({ length: 2 + (i % 6) }, (_, j) =>
      j === 1 + (i % 6) ? 2 : 4 + ((i * 7 + j * (1 + (i % 5))) % 12),
    ),
  );
  const lengths = Int32Array.from(sentences, (sentence) => sentence.length);
  return {
    sourceLengths: lengths,
    targetLengths: lengths,
    pair: (i) => ({
      ...{ source: sentences[i], target: sentences[i] },
      links: Int32Array.from({ length: 2 * (lengths[i] - 1) }, (_, at) => at >> 1),
    }),
  };
}

export interface TinyRun {
  train?: Partial<TrainConfig>;
  model?: Partial<ModelConfig>;
  options?: Partial<TrainerOptions>;
  /** Where it starts, where there is no checkpoint. */
  state?: TrainState;
}

/** Trains in a folder from its last checkpoint, or from the start where it has none. */
export async function trainTiny(runDirectory: string, run: TinyRun): Promise<TrainingEnd> {
  const modelConfig = tinyModelConfig(run.model);
  const last = path.join(runDirectory, LAST_CHECKPOINT);
  const start = fs.existsSync(last)
    ? readCheckpoint(last, modelConfig, VOCABULARY, ORIGIN)
    : { model: Transformer.create(modelConfig, VOCABULARY, 1), state: run.state ?? INITIAL_STATE };
  const options: TrainerOptions = {
    config: tinyTrainConfig(run.train),
    seed: 1,
    maxPositions: modelConfig.maxPositions,
    origin: ORIGIN,
    runDirectory,
    train: copyTask(20),
    valid: copyTask(5),
    interrupted: () => undefined,
    write: writeWarm,
    ...run.options,
  };
  let trainer: Trainer | undefined;
  try {
    trainer = new Trainer(options, start);
    return await trainer.run();
  } finally {
    trainer?.dispose();
    start.model.dispose();
  }
}

/** Saves a checkpoint at once, in this thread. */
export async function writeCheckpoint(folder: string, checkpoint: Capturable): Promise<void> {
  await writeImage(folder, imageOf(checkpoint), takeOf(await copiedValues(checkpoint)));
}

/** The lines of metrics.jsonl without what a clock measured. */
export function readMetrics(runDirectory: string): Record<string, unknown>[] {
  return fs
    .readFileSync(path.join(runDirectory, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { wall, wps, ups, ...rest } = JSON.parse(line);
      return rest;
    });
}

/** Content of the files of a checkpoint that decide how training goes on. */
export function readTensors(checkpoint: string): Buffer[] {
  return ['model.safetensors', 'optimizer.safetensors'].map((name) =>
    fs.readFileSync(path.join(checkpoint, name)),
  );
}

/** Runs something and gives the number of tensors that it has left behind. */
export async function tensorsLeft(work: () => Promise<unknown>): Promise<number> {
  const before = tf.memory().numTensors;
  await work();
  return tf.memory().numTensors - before;
}
