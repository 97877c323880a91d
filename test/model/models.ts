import { type BackendName, initBackend } from '../../src/backend/init.js';
import { camelizeKeys } from '../../src/config/camel.js';
import { configSchema, type ModelConfig } from '../../src/config/schema.js';
import { type Batch, packBatch } from '../../src/data/batch.js';
import { EOS } from '../../src/data/dictionary.js';
import type { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { quickBackends } from '../ops/backends.js';

export const RESIDUALS = [
  'post-ln',
  'pre-ln',
  'admin',
  'deepnorm',
  'rezero',
  'rezero-post-ln',
  'look-linear',
  'post-ln-pre-ln',
  'b2t',
  'sub-ln',
] as const satisfies readonly ModelConfig['residual'][];

/** The backends that can be used here; cpu and wasm are always among them. */
export const BACKENDS = quickBackends;

/** Makes a backend the current one. */
export async function useBackend(name: BackendName): Promise<void> {
  await initBackend(name);
}

/** A model config of width 8 with 2 + 2 layers and no dropout, with some keys changed. */
export function tinyConfig(changes: Partial<ModelConfig> = {}): ModelConfig {
  const { model } = camelizeKeys(configSchema.parse({}));
  return {
    ...model,
    embedDim: 8,
    ffnEmbedDim: 12,
    attentionHeads: 2,
    encoder: { layers: 2 },
    decoder: { layers: 2 },
    dropout: 0,
    attentionDropout: 0,
    activationDropout: 0,
    maxPositions: 16,
    ...changes,
  };
}

export const VOCABULARY = { source: 16, target: 16 };

/** Pairs of lengths 1 to 6 over an alphabet of 12 letters, each side ending in `</s>`. */
export const PAIRS: readonly { source: Int32Array; target: Int32Array }[] = [
  [
    [5, 9, 2],
    [7, 4, 12, 2],
  ],
  [[2], [6, 2]],
  [[4, 4, 8, 15, 10, 2], [2]],
  [
    [13, 2],
    [11, 5, 5, 9, 14, 2],
  ],
].map(([source, target]) => ({ source: Int32Array.from(source), target: Int32Array.from(target) }));

export function batchOf(pairs: readonly { source: Int32Array; target: Int32Array }[] = PAIRS): Batch {
  return packBatch([...pairs.keys()], pairs, EOS);
}

/** Loss, nll and the gradient of every trained weight, by its official name. */
export function differentiate(
  model: Transformer,
  batch: Batch,
  labelSmoothing: number,
  training: { seed: number; step: number } | null = null,
): { loss: number; nll: number; gradients: Map<string, Float32Array> } {
  let nll = Number.NaN;
  const { value, grads } = tf.variableGrads(() => {
    const losses = model.loss(batch, labelSmoothing, { training });
    nll = losses.nll.dataSync()[0];
    return losses.loss;
  }, model.trainable);
  const gradients = new Map<string, Float32Array>();
  for (const [name, weight] of model.weights) {
    if (weight.name in grads) gradients.set(name, grads[weight.name].dataSync() as Float32Array);
  }
  const loss = value.dataSync()[0];
  tf.dispose([value, grads]);
  return { loss, nll, gradients };
}

/** Largest difference as a share of the largest expected value. NaN never passes for small. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(actual[i] - expected[i]);
    difference = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(difference, distance);
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return difference === 0 ? 0 : difference / largest;
}
