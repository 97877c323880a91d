import type { Precision } from '../common/precision.js';
import { dropout } from './dropout.js';
import { hasKernel, kernelDropout, type MaskKey, runFused } from './kernels.js';
import { linear } from './matmul.js';
import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

export type Activation = 'relu' | 'gelu' | 'swish';
/** Those that the kernels of a backend compute with a product; the others are ops of their own after it. */
export type FusedActivation = Exclude<Activation, 'swish'>;

export const isFused = (activation: Activation): activation is FusedActivation => activation !== 'swish';

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

/** max(0, x), x·Φ(x) with the exact Φ (erf), as PyTorch's `gelu`, or x·σ(x), as its `silu`. */
export function activate(x: tf.Tensor2D, activation: Activation): tf.Tensor2D {
  if (activation === 'relu') return tf.relu(x);
  if (activation === 'swish') return swish(x);
  return tf.tidy(() => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)));
}

const swish = (x: tf.Tensor2D): tf.Tensor2D =>
  withGradient<tf.Tensor2D>([x], (keep) => {
    const saved = keep(x);
    return {
      value: tf.mul(x, tf.sigmoid(x)),
      // σ(x) · (1 + x · (1 − σ(x)))
      gradient: (dy) => {
        const share = tf.sigmoid(saved());
        return [tf.mul(dy, tf.mul(share, tf.add(tf.mul(saved(), tf.sub(1, share)), 1)))];
      },
    };
  });

/** Of the fused form. */
const KERNELS = [
  ...(['FeedForwardInner', 'FeedForwardInnerGradient'] as const),
  ...(['Linear', 'LinearGradient', 'WeightGradient'] as const),
];

export interface FeedForwardOptions {
  activation: Activation;
  /** Dropout after the activation. */
  dropout: number;
  key: MaskKey | null;
  precision?: Precision;
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
  options: FeedForwardOptions,
): tf.Tensor2D {
  const { activation } = options;
  return isFused(activation) && hasKernel(...KERNELS)
    ? fusedFeedForward(x, weights, { ...options, activation })
    : feedForwardReference(x, weights, options);
}

/** The same from `linear`, `activate` and `dropout`: the oracle of the fused one. */
export function feedForwardReference(
  x: tf.Tensor2D,
  weights: FeedForwardWeights,
  { activation, dropout: rate, key, precision }: FeedForwardOptions,
): tf.Tensor2D {
  return tf.tidy(() => {
    const inner = activate(linear(x, weights.fc1Weight, weights.fc1Bias, precision), activation);
    return linear(dropout(inner, rate, key), weights.fc2Weight, weights.fc2Bias, precision);
  });
}

/** Keeps x, the inner h and, for gelu, the sum before the activation. */
function fusedFeedForward(
  x: tf.Tensor2D,
  { fc1Weight, fc1Bias, fc2Weight, fc2Bias }: FeedForwardWeights,
  {
    activation,
    dropout: rate,
    key,
    precision = 'float32',
  }: FeedForwardOptions & { activation: FusedActivation },
): tf.Tensor2D {
  const attributes = { activation, dropout: kernelDropout(rate, key), precision };
  return withGradient<tf.Tensor2D>([x, fc1Weight, fc1Bias, fc2Weight, fc2Bias], (keep) => {
    const [h, before = h] = runFused('FeedForwardInner', { x, weight: fc1Weight, bias: fc1Bias }, attributes);
    const [savedX, savedH, savedBefore] = [keep(x), keep(h), keep(before)];
    const [savedFc1, savedFc1Bias] = [keep(fc1Weight), keep(fc1Bias)];
    const [savedFc2, savedFc2Bias] = [keep(fc2Weight), keep(fc2Bias)];
    return {
      value: runFused('Linear', { x: h, weight: fc2Weight, bias: fc2Bias }, { precision })[0] as tf.Tensor2D,
      gradient: (dy) => {
        const [dInner] = runFused(
          'FeedForwardInnerGradient',
          { dy, weight: savedFc2(), kept: savedBefore() },
          attributes,
        );
        const outer = { dy, x: savedH(), weight: savedFc2(), bias: savedFc2Bias() };
        const [dFc2, dFc2Bias] = runFused('WeightGradient', outer, { precision });
        const inner = { dy: dInner, x: savedX(), weight: savedFc1(), bias: savedFc1Bias() };
        const [dx, dFc1, dFc1Bias] = runFused('LinearGradient', inner, { precision });
        return [dx, dFc1, dFc1Bias, dFc2, dFc2Bias];
      },
    };
  });
}
