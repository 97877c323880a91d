import type { Precision } from '../common/precision.js';
import { hasKernel, runFused } from './kernels.js';
import { matMul, transposed, weightGradient } from './matmul.js';
import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

export interface TokenLosses {
  /** Label-smoothed loss, summed over the tokens, in nats. */
  loss: tf.Scalar;
  /** Negative log-likelihood, summed over the tokens, in nats. */
  nll: tf.Scalar;
}

/**
 * Output projection and label-smoothed cross-entropy in the official form:
 * loss = Σ_t (1 − ε)·nll_t + ε/V · Σ_j −log p_tj. The gradient flows through `loss` alone.
 *
 * The log of the partition function is max z − log max p, from the softmax kernel: the largest probability is at
 * least 1/V, so nothing underflows and no exponential is taken twice.
 *
 * @param hidden [T, d]
 * @param weight [V, d]
 * @param targets [T], each in [0, V)
 * @param epsilon ε
 * @param lossScale what the gradient is multiplied by from the logits on, where float16 would lose small numbers
 */
export function smoothedCrossEntropy(
  hidden: tf.Tensor2D,
  weight: tf.Tensor2D,
  targets: Int32Array,
  epsilon: number,
  precision: Precision = 'float32',
  lossScale = 1,
): TokenLosses {
  const losses = (hasKernel('CrossEntropy', 'ScaleBy') ? fusedLosses : compositeLosses)(
    hidden,
    weight,
    targets,
    epsilon,
    lossScale,
    precision,
  );
  const [loss, nll] = [element(losses, 0), element(losses, 1)];
  losses.dispose();
  return { loss, nll };
}

/** The gradient is computed on the way, where one will be wanted: the logits are never all there at once. */
function fusedLosses(
  hidden: tf.Tensor2D,
  weight: tf.Tensor2D,
  targets: Int32Array,
  epsilon: number,
  lossScale: number,
  precision: Precision,
): tf.Tensor1D {
  const gradient = tf.engine().state.gradientDepth > 0;
  return withGradient<tf.Tensor1D>([hidden, weight], (keep) => {
    const attributes = { targets, epsilon, gradient, lossScale, precision };
    const [value, ...slopes] = runFused('CrossEntropy', { hidden, weight }, attributes);
    const saved = slopes.map((slope) => keep(slope));
    return {
      value: value as tf.Tensor1D,
      gradient: (dy) => {
        const factor = element(dy, 0);
        return saved.map((slope) => runFused('ScaleBy', { x: slope(), factor }, {})[0]);
      },
    };
  });
}

function compositeLosses(
  hidden: tf.Tensor2D,
  weight: tf.Tensor2D,
  targets: Int32Array,
  epsilon: number,
  lossScale: number,
): tf.Tensor1D {
  return withGradient<tf.Tensor1D>([hidden, weight], (keep) => {
    const size = weight.shape[0];
    const logits = tf.matMul<tf.Tensor2D>(hidden, transposed(weight));
    const probabilities = tf.softmax(logits);
    const logPartition = tf.sub(tf.max(logits, 1), tf.log(tf.max(probabilities, 1)));
    const places = targets.map((target, row) => row * size + target);
    const targetLogits = tf.gather(tf.reshape(logits, [-1]), tf.tensor1d(places, 'int32'));
    const nll = tf.sum(tf.sub(logPartition, targetLogits));
    const smooth = tf.sum(tf.sub(logPartition, tf.div(tf.sum(logits, 1), size)));
    const loss = tf.add(tf.mul(nll, 1 - epsilon), tf.mul(smooth, epsilon));
    const [savedHidden, savedWeight, savedProbabilities] = [keep(hidden), keep(weight), keep(probabilities)];
    return {
      value: tf.stack([loss, nll]) as tf.Tensor1D,
      gradient: (dy) => {
        const dLoss = tf.mul(element(dy, 0), lossScale);
        const target = oneHotRows(targets, size, 1 - epsilon);
        const dLogits = tf.sub<tf.Tensor2D>(tf.sub(savedProbabilities(), epsilon / size), target);
        return [
          tf.mul(tf.matMul<tf.Tensor2D>(dLogits, savedWeight()), dLoss),
          tf.mul(weightGradient(dLogits, savedHidden()), dLoss),
        ];
      },
    };
  });
}

/** `value` at the target of each row, 0 elsewhere, [T, size]; the wasm backend's float one-hot gives zeros. */
function oneHotRows(targets: Int32Array, size: number, value: number): tf.Tensor2D {
  const cells = Array.from(targets, (target, row): [number, number] => [row, target]);
  return tf.scatterND(tf.tensor2d(cells, [targets.length, 2], 'int32'), tf.fill([targets.length], value), [
    targets.length,
    size,
  ]) as tf.Tensor2D;
}

const element = (x: tf.Tensor1D, i: number): tf.Scalar =>
  tf.tidy(() => tf.reshape(tf.slice(x, [i], [1]), []));

/** The same from log-probabilities, by tfjs's autodiff: the oracle of `smoothedCrossEntropy`. */
export function smoothedCrossEntropyReference(
  hidden: tf.Tensor2D,
  weight: tf.Tensor2D,
  targets: Int32Array,
  epsilon: number,
): TokenLosses {
  const size = weight.shape[0];
  const logits = matMul(hidden, weight, false, true);
  const shifted = tf.sub(logits, tf.max(logits, 1, true));
  const logProbs = tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), 1, true)));
  const target = oneHotRows(targets, size, 1);
  const nll = tf.neg(tf.sum(tf.mul(logProbs, target))) as tf.Scalar;
  const smooth = tf.div(tf.neg(tf.sum(logProbs)), size);
  return { loss: tf.add(tf.mul(nll, 1 - epsilon), tf.mul(smooth, epsilon)), nll };
}
