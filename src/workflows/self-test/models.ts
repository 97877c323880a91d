import type { Precision } from '../../common/precision.js';
import { Purpose, RandomStream } from '../../common/rng.js';
import { camelizeKeys } from '../../config/camel.js';
import { configSchema, type ModelConfig } from '../../config/schema.js';
import { type Batch, packBatch } from '../../data/batch.js';
import { EOS, UNK } from '../../data/dictionary.js';
import { Transformer, type VocabularySizes } from '../../model/transformer.js';
import { type UpdateOptions, Updater } from '../../train/update.js';

/** The sizes of a model that is measured. */
interface ModelSizes {
  width: number;
  inner: number;
  heads: number;
  encoder: number;
  decoder: number;
  vocabulary: number;
  /** One table for both embeddings and the output projection. */
  shared?: boolean;
}

/** The models that speed and memory are told of. A, B and C are those of docs/bench.md, the others those of papers. */
export const MODELS = {
  tiny: { width: 64, inner: 256, heads: 4, encoder: 2, decoder: 2, vocabulary: 1000 },
  A: { width: 256, inner: 1024, heads: 4, encoder: 6, decoder: 6, vocabulary: 8000 },
  B: { width: 512, inner: 1024, heads: 4, encoder: 6, decoder: 6, vocabulary: 8000 },
  C: { width: 256, inner: 1024, heads: 4, encoder: 18, decoder: 18, vocabulary: 8000 },
  base: { width: 512, inner: 2048, heads: 8, encoder: 6, decoder: 6, vocabulary: 32_000, shared: true },
  big: { width: 1024, inner: 4096, heads: 16, encoder: 6, decoder: 6, vocabulary: 32_000, shared: true },
  '60+12': { width: 512, inner: 2048, heads: 8, encoder: 60, decoder: 12, vocabulary: 32_000, shared: true },
} as const satisfies Record<string, ModelSizes>;
export type ModelName = keyof typeof MODELS;

/** Target tokens of a batch. */
export const BATCH_TOKENS = 4096;

/** Admin with analytic ω and three dropouts. */
export function modelConfig(name: ModelName): ModelConfig {
  const { width, inner, heads, encoder, decoder, shared = false }: ModelSizes = MODELS[name];
  const { model } = camelizeKeys(configSchema.parse({}));
  return {
    ...model,
    ...{ dropout: 0.3, attentionDropout: 0.1, activationDropout: 0.1 },
    residual: 'admin',
    omega: { ...model.omega, init: 'analytic' },
    ...{ embedDim: width, ffnEmbedDim: inner, attentionHeads: heads },
    ...{ encoder: { layers: encoder }, decoder: { layers: decoder } },
    ...(shared && { shareEmbeddings: 'all' }),
  };
}

/** Entries of the dictionaries of a model. */
export function vocabularyOf(name: ModelName): VocabularySizes {
  const { vocabulary } = MODELS[name];
  return { source: vocabulary, target: vocabulary };
}

/** A new model with its optimizer; the model is owned by the caller. */
export function newUpdater(name: ModelName, precision: Precision): Updater {
  const model = Transformer.create(modelConfig(name), vocabularyOf(name), 1);
  model.precision = precision;
  return new Updater(model, UPDATES);
}

/** How models are trained that are measured. */
export const UPDATES: UpdateOptions = {
  ...{ optimizer: 'adam', adamBetas: [0.9, 0.98], adamEps: 1e-8, momentum: 0, weightDecay: 0 },
  ...{ labelSmoothing: 0.1, clipNorm: 1, updateFreq: 1, seed: 1 },
};

/** Least and most tokens of a sentence, `</s>` counted. */
const LENGTHS = [8, 40] as const;

/** Sentences of random tokens: pairs of about equal lengths with so many tokens on each side, or a few more. */
export function randomBatch(tokens: number, vocabulary: number, seed = 1): Batch {
  const stream = new RandomStream({ seed, step: 0, purpose: Purpose.test });
  const [least, most] = LENGTHS;
  const sentence = (length: number): Int32Array =>
    Int32Array.from({ length }, (_, i) =>
      i === length - 1 ? EOS : UNK + 1 + stream.nextBelow(vocabulary - UNK - 1),
    );
  const pairs: { source: Int32Array; target: Int32Array }[] = [];
  for (let sum = 0; sum < tokens; ) {
    const length = least + stream.nextBelow(most - least + 1);
    pairs.push({ source: sentence(length), target: sentence(length) });
    sum += length;
  }
  return packBatch([...pairs.keys()], pairs, EOS);
}
