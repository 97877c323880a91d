import { readFileSync } from 'node:fs';
import type { Precision } from '../src/common/precision.js';
import { camelizeKeys } from '../src/config/camel.js';
import { configSchema, type ModelConfig } from '../src/config/schema.js';
import { type Batch, packBatch } from '../src/data/batch.js';
import { EOS } from '../src/data/dictionary.js';
import { Transformer } from '../src/model/transformer.js';
import { Updater } from '../src/train/update.js';

/** The models of the bench: width, inner width, heads, layers of each stack. */
export const MODELS = {
  A: { width: 256, inner: 1024, heads: 4, layers: 6 },
  B: { width: 512, inner: 1024, heads: 4, layers: 6 },
  C: { width: 256, inner: 1024, heads: 4, layers: 18 },
} as const;
export type ModelName = keyof typeof MODELS;

export const VOCABULARY = 8000;
export const MAX_TOKENS = 4096;
export const DROPOUT = { dropout: 0.3, attentionDropout: 0.1, activationDropout: 0.1 };

export function modelConfig(name: ModelName): ModelConfig {
  const { width, inner, heads, layers } = MODELS[name];
  const { model } = camelizeKeys(configSchema.parse({}));
  return {
    ...model,
    ...DROPOUT,
    residual: 'admin',
    omega: { ...model.omega, init: 'analytic' },
    embedDim: width,
    ffnEmbedDim: inner,
    attentionHeads: heads,
    encoder: { layers },
    decoder: { layers },
  };
}

/** Batches as the coordinator wrote them: lists of pairs. */
export function readBatches(file: string): Batch[] {
  const lists = JSON.parse(readFileSync(file, 'utf8')) as { source: number[]; target: number[] }[][];
  return lists.map((pairs) =>
    packBatch(
      [...pairs.keys()],
      pairs.map(({ source, target }) => ({
        source: Int32Array.from(source),
        target: Int32Array.from(target),
      })),
      EOS,
    ),
  );
}

/** A new model with its optimizer. */
export function newUpdater(name: ModelName, precision: Precision): Updater {
  const vocabulary = { source: VOCABULARY, target: VOCABULARY };
  const model = Transformer.create(modelConfig(name), vocabulary, 1);
  model.precision = precision;
  return new Updater(model, {
    ...{ optimizer: 'adam', adamBetas: [0.9, 0.98], adamEps: 1e-8, momentum: 0, weightDecay: 0 },
    ...{ labelSmoothing: 0.1, clipNorm: 1, updateFreq: 1, seed: 1 },
  });
}

/** A linear map of a step: rows, width in, width out, and how often it stands in the model. */
export interface Product {
  rows: number;
  from: number;
  to: number;
  times: number;
}

/**
 * The matrix products of one step on a batch: what forward and both gradients have to multiply, attention's small
 * products left out.
 */
export function productsOf(name: ModelName, batch: Batch): Product[] {
  const { width, inner, layers } = MODELS[name];
  const [source, target] = [batch.source.tokens.length, batch.targetOutput.length];
  const feedForward = (rows: number): Product[] => [
    { rows, from: width, to: inner, times: layers },
    { rows, from: inner, to: width, times: layers },
  ];
  return [
    { rows: source, from: width, to: 3 * width, times: layers },
    { rows: source, from: width, to: width, times: layers },
    ...feedForward(source),
    { rows: target, from: width, to: 3 * width, times: layers },
    { rows: target, from: width, to: width, times: 3 * layers }, // both outputs, and the query to the encoder
    { rows: source, from: width, to: 2 * width, times: layers },
    ...feedForward(target),
    { rows: target, from: width, to: VOCABULARY, times: 1 },
  ];
}
