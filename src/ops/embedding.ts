import type { Precision } from '../common/precision.js';
import { dropout } from './dropout.js';
import { hasKernel, kernelDropout, type MaskKey, runFused } from './kernels.js';
import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

/**
 * Rows of a table: `table[tokens]`. The gradient adds up the rows of equal tokens (ScatterNd, since the wasm
 * backend lacks the kernel of tfjs's own gradient).
 *
 * @param tokens [T], each in [0, V)
 * @param table [V, d]
 * @returns [T, d]
 */
export function embedding(tokens: Int32Array, table: tf.Tensor2D): tf.Tensor2D {
  if (hasKernel('Embedding', 'EmbeddingGradient')) return fusedEmbedding(tokens, table, PLAIN);
  return withGradient<tf.Tensor2D>([table], () => ({
    value: tf.gather(table, tf.tensor1d(tokens, 'int32')),
    gradient: (dy) => [
      tf.scatterND(tf.tensor2d(tokens, [tokens.length, 1], 'int32'), dy, table.shape) as tf.Tensor2D,
    ],
  }));
}

/** The same as a product with one-hot rows, by tfjs alone: the oracle of `embedding`. */
export function embeddingReference(tokens: Int32Array, table: tf.Tensor2D): tf.Tensor2D {
  return tf.matMul(tf.cast(tf.oneHot(tf.tensor1d(tokens, 'int32'), table.shape[0]), 'float32'), table);
}

export interface PlacedEmbeddingOptions {
  /** What the rows of the table are multiplied by. */
  scale: number;
  /** A row for each position, [P, d]; null for none. */
  positions: tf.Tensor2D | null;
  /** Row of `positions` of each token, [T]. */
  places: Int32Array;
  /** Dropout of the sum. */
  dropout: number;
  key: MaskKey | null;
  /** Of the products that are made from it; float32 by default. */
  precision?: Precision;
}

const PLAIN: PlacedEmbeddingOptions = {
  scale: 1,
  positions: null,
  places: new Int32Array(0),
  dropout: 0,
  key: null,
};

/**
 * Token and position embeddings: dropout(table[tokens] · scale + positions[places]).
 *
 * @param tokens [T], each in [0, V)
 * @param table [V, d]
 * @returns [T, d]
 */
export function placedEmbedding(
  tokens: Int32Array,
  table: tf.Tensor2D,
  options: PlacedEmbeddingOptions,
): tf.Tensor2D {
  return hasKernel('Embedding', 'EmbeddingGradient')
    ? fusedEmbedding(tokens, table, options)
    : placedEmbeddingReference(tokens, table, options);
}

/** The same from `embedding` and `dropout`: the oracle of the fused one. */
export function placedEmbeddingReference(
  tokens: Int32Array,
  table: tf.Tensor2D,
  { scale, positions, places, dropout: rate, key }: PlacedEmbeddingOptions,
): tf.Tensor2D {
  return tf.tidy(() => {
    const vectors = embedding(tokens, table);
    const scaled = scale === 1 ? vectors : tf.mul<tf.Tensor2D>(vectors, scale);
    const placed = positions === null ? scaled : tf.add<tf.Tensor2D>(scaled, embedding(places, positions));
    return dropout(placed, rate, key);
  });
}

/** Keeps nothing. */
function fusedEmbedding(
  tokens: Int32Array,
  table: tf.Tensor2D,
  { scale, positions, places, dropout: rate, key, precision = 'float32' }: PlacedEmbeddingOptions,
): tf.Tensor2D {
  const mask = kernelDropout(rate, key);
  const gradientOf = (dy: tf.Tensor, of: tf.Tensor, indices: Int32Array, factor: number) =>
    runFused('EmbeddingGradient', { dy }, { indices, rows: of.shape[0], scale: factor, dropout: mask })[0];
  return withGradient<tf.Tensor2D>(positions === null ? [table] : [table, positions], () => ({
    value: runFused(
      'Embedding',
      { table, positions },
      { tokens, places, scale, dropout: mask, precision },
    )[0] as tf.Tensor2D,
    gradient: (dy) => [
      gradientOf(dy, table, tokens, scale),
      ...(positions === null ? [] : [gradientOf(dy, positions, places, 1)]),
    ],
  }));
}
