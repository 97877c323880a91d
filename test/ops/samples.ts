import { Purpose, RandomStream } from '../../src/common/rng.js';
import { tf } from '../../src/ops/tf.js';

/** Standard normal numbers, the same ones for the same seed. */
export function normals(size: number, seed: number): Float32Array {
  const stream = new RandomStream({ seed, step: 0, purpose: Purpose.test });
  return Float32Array.from({ length: size }, () => stream.nextNormal());
}

/** A tensor of standard normal numbers. */
export function normal<R extends tf.Rank>(shape: tf.ShapeMap[R], seed: number): tf.Tensor<R> {
  return tf.tensor<R>(normals(tf.util.sizeFromShape(shape), seed), shape, 'float32');
}

export const matrix = (rows: number, columns: number, seed = 1): tf.Tensor2D =>
  normal<tf.Rank.R2>([rows, columns], seed);

export const vector = (size: number, seed = 1): tf.Tensor1D => normal<tf.Rank.R1>([size], seed);

/** A matrix as rows of doubles. */
export function rowsOf(x: tf.Tensor2D): number[][] {
  const [rows, columns] = x.shape;
  const values = Array.from(x.dataSync());
  return Array.from({ length: rows }, (_, i) => values.slice(i * columns, (i + 1) * columns));
}

/** Offsets of packed sentences of these lengths, [B + 1]. */
export function offsetsOf(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    offsets[i + 1] = offsets[i] + length;
  });
  return offsets;
}
