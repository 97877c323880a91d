import { layerNorm, layerNormReference } from './layer-norm.js';
import { columnSums } from './matmul.js';
import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

/** x·ω with ω of the width of x: x [T, d], ω [d]. */
export function scaleColumns(x: tf.Tensor2D, omega: tf.Tensor1D): tf.Tensor2D {
  return withGradient<tf.Tensor2D>([x, omega], (keep) => {
    const [savedX, savedOmega] = [keep(x), keep(omega)];
    return {
      value: tf.mul(x, omega),
      gradient: (dy) => [tf.mul(dy, savedOmega()), columnSums(tf.mul(dy, savedX()))],
    };
  });
}

/**
 * The residual sublayer of Post-LN and Admin: LN(x·ω + f(x)).
 *
 * @param x shortcut, [T, d]
 * @param branch f(x), [T, d]
 * @param omega [d], or null for 1
 */
export function residualNorm(
  x: tf.Tensor2D,
  branch: tf.Tensor2D,
  omega: tf.Tensor1D | null,
  gain: tf.Tensor1D,
  bias: tf.Tensor1D,
): tf.Tensor2D {
  return tf.tidy(() => {
    const shortcut = omega === null ? x : scaleColumns(x, omega);
    return layerNorm(tf.add(shortcut, branch), gain, bias);
  });
}

/** The same by tfjs alone: the oracle of `residualNorm`. */
export function residualNormReference(
  x: tf.Tensor2D,
  branch: tf.Tensor2D,
  omega: tf.Tensor1D | null,
  gain: tf.Tensor1D,
  bias: tf.Tensor1D,
): tf.Tensor2D {
  return layerNormReference(tf.add(omega === null ? x : tf.mul(x, omega), branch), gain, bias);
}
