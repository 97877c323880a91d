import type { Precision } from '../common/precision.js';
import type { HeadRows } from './attention.js';
import { hasKernel } from './kernels.js';
import { linear } from './matmul.js';
import { tf } from './tf.js';

/**
 * The input projections q, k and v of an attention to itself, whose weights lie one under another in one matrix:
 * x·Wᵀ + b for each. Where attention reads columns in place they are one product, of which each is some columns.
 *
 * @param x [T, d]
 * @param weight [3d, d]
 * @param bias [3d]
 */
export function selfProjections(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D,
  precision: Precision = 'float32',
): HeadRows[] {
  return ofRows(x, weight, bias, 3, precision);
}

/**
 * The same of an attention to something else: q of the queries, k and v of what is attended to.
 *
 * @param queries [Tq, d]
 * @param keys [Tk, d]
 */
export function crossProjections(
  queries: tf.Tensor2D,
  keys: tf.Tensor2D,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D,
  precision: Precision = 'float32',
): HeadRows[] {
  const d = queries.shape[1];
  const [[ofQueries, ofKeys], [queryBias, keyBias]] = [weight, bias].map((x) => tf.split(x, [d, 2 * d]));
  return [
    ...ofRows(queries, ofQueries as tf.Tensor2D, queryBias as tf.Tensor1D, 1, precision),
    ...ofRows(keys, ofKeys as tf.Tensor2D, keyBias as tf.Tensor1D, 2, precision),
  ];
}

/** So many projections that lie under another. */
function ofRows(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D,
  count: number,
  precision: Precision,
): HeadRows[] {
  const places = Array.from({ length: count }, (_, i) => i);
  if (hasKernel('Attention', 'AttentionGradient') || count === 1) {
    const tensor = linear(x, weight, bias, precision);
    return places.map((i) => ({ tensor, column: i * x.shape[1] }));
  }
  const [weights, biases] = [weight, bias].map((rows) => tf.split(rows, count));
  return places.map((i) => linear(x, weights[i] as tf.Tensor2D, biases[i] as tf.Tensor1D, precision));
}
