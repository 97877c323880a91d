import { dropout, type MaskKey } from './dropout.js';
import { linear } from './matmul.js';
import { tf } from './tf.js';

export type Activation = 'relu' | 'gelu';

export interface FeedForwardWeights {
  /** [ffn, d] */
  fc1Weight: tf.Tensor2D;
  /** [ffn] */
  fc1Bias: tf.Tensor1D;
  /** [d, ffn] */
  fc2Weight: tf.Tensor2D;
  /** [d] */
  fc2Bias: tf.Tensor1D;
}

/** max(0, x), or x·Φ(x) with the exact Φ (erf), as PyTorch's `gelu`. */
export function activate(x: tf.Tensor2D, activation: Activation): tf.Tensor2D {
  if (activation === 'relu') return tf.relu(x);
  return tf.tidy(() => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)));
}

/**
 * The position-wise feed-forward branch: fc2(dropout(activation(fc1(x)))).
 *
 * @param x [T, d]
 * @returns [T, d]
 */
export function feedForward(
  x: tf.Tensor2D,
  weights: FeedForwardWeights,
  options: { activation: Activation; dropout: number; key: MaskKey | null },
): tf.Tensor2D {
  return tf.tidy(() => {
    const inner = activate(linear(x, weights.fc1Weight, weights.fc1Bias), options.activation);
    return linear(dropout(inner, options.dropout, options.key), weights.fc2Weight, weights.fc2Bias);
  });
}
