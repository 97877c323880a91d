import type { Precision } from '../common/precision.js';
import type { HeadRows } from './attention.js';
import { hasKernel } from './kernels.js';
import { linear } from './matmul.js';
import { tf } from './tf.js';

/**
 * Some of the input projections of an attention, whose weights lie one under another in one matrix: x·Wᵀ + b for
 * each. Where attention reads columns in place they are one product, of which each is some columns.
 *
 * @param x [T, d]
 * @param weight [n · d, d]
 * @param bias [n · d]
 * @param first of the projections, from 0
 * @param count how many from there on
 */
export function headProjections(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D,
  first: number,
  count: number,
  precision: Precision = 'float32',
): HeadRows[] {
  const d = x.shape[1];
  const parts = Array.from({ length: count }, (_, i) => i);
  if (!hasKernel('Attention', 'AttentionGradient'))
    return parts.map((i) => rowsOf(x, weight, bias, (first + i) * d, d, precision));
  const tensor = rowsOf(x, weight, bias, first * d, count * d, precision);
  return parts.map((i) => ({ tensor, column: i * d }));
}

/** The projection by some rows of the matrix. */
function rowsOf(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D,
  start: number,
  size: number,
  precision: Precision,
): tf.Tensor2D {
  if (size === weight.shape[0]) return linear(x, weight, bias, precision);
  const rows = tf.slice(weight, [start, 0], [size, weight.shape[1]]);
  return linear(x, rows, tf.slice(bias, [start], [size]), precision);
}
