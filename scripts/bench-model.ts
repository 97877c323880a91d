import { camelizeKeys } from '../src/config/camel.js';
import { configSchema, type ModelConfig } from '../src/config/schema.js';
import type { Batch } from '../src/data/batch.js';

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
