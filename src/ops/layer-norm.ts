import { hasKernel, runFused } from './kernels.js';
import { columnSums } from './matmul.js';
import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

/** PyTorch's default, which the official code keeps. */
const EPSILON = 1e-5;

interface Standardized {
  /** (x − mean) / σ of each row, [T, d]. */
  x: tf.Tensor2D;
  /** 1 / σ of each row, [T, 1]. */
  inverseDeviation: tf.Tensor2D;
}

/** Each row brought to mean 0 and variance 1 (population variance). */
function standardize(x: tf.Tensor2D): Standardized {
  const width = x.shape[1];
  const centred = tf.sub<tf.Tensor2D>(x, tf.div(tf.sum(x, 1, true), width));
  const variance = tf.div(tf.sum(tf.square(centred), 1, true), width);
  const inverseDeviation = tf.rsqrt(tf.add(variance, EPSILON)) as tf.Tensor2D;
  return { x: tf.mul(centred, inverseDeviation), inverseDeviation };
}

/**
 * Layer normalisation over the last axis: (x − mean) / √(variance + 1e-5) · gain + bias.
 *
 * @param x [T, d]
 * @param gain [d]
 * @param bias [d]
 */
export function layerNorm(x: tf.Tensor2D, gain: tf.Tensor1D, bias: tf.Tensor1D): tf.Tensor2D {
  return hasKernel('LayerNorm', 'LayerNormGradient')
    ? fusedLayerNorm(x, gain, bias)
    : compositeLayerNorm(x, gain, bias);
}

function fusedLayerNorm(x: tf.Tensor2D, gain: tf.Tensor1D, bias: tf.Tensor1D): tf.Tensor2D {
  return withGradient<tf.Tensor2D>([x, gain, bias], (keep) => {
    const [value, normal, inverse] = runFused('LayerNorm', { x, gain, bias }, {});
    const [savedNormal, savedInverse] = [keep(normal), keep(inverse)];
    const [savedGain, savedBias] = [keep(gain), keep(bias)];
    return {
      value: value as tf.Tensor2D,
      gradient: (dy) =>
        runFused(
          'LayerNormGradient',
          { dy, normal: savedNormal(), inverse: savedInverse(), gain: savedGain(), bias: savedBias() },
          {},
        ),
    };
  });
}

function compositeLayerNorm(x: tf.Tensor2D, gain: tf.Tensor1D, bias: tf.Tensor1D): tf.Tensor2D {
  return withGradient<tf.Tensor2D>([x, gain, bias], (keep) => {
    const standardized = standardize(x);
    const savedX = keep(standardized.x);
    const savedInverse = keep(standardized.inverseDeviation);
    const savedGain = keep(gain);
    return {
      value: tf.add(tf.mul(standardized.x, gain), bias),
      gradient: (dy) => {
        const width = dy.shape[1];
        const normal = savedX();
        const scaled = tf.mul<tf.Tensor2D>(dy, savedGain());
        const mean = tf.div(tf.sum(scaled, 1, true), width);
        const slope = tf.div(tf.sum(tf.mul(scaled, normal), 1, true), width);
        const dx = tf.mul(savedInverse(), tf.sub(tf.sub(scaled, mean), tf.mul(normal, slope)));
        return [dx, columnSums(tf.mul(dy, normal)), columnSums(dy)];
      },
    };
  });
}

/** The same by tfjs alone: the oracle of `layerNorm`. */
export function layerNormReference(x: tf.Tensor2D, gain: tf.Tensor1D, bias: tf.Tensor1D): tf.Tensor2D {
  return tf.add(tf.mul(standardize(x).x, gain), bias);
}
