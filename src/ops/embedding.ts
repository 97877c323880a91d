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
