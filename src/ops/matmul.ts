import type { Precision } from '../common/precision.js';
import { hasKernel, runFused } from './kernels.js';
import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

/** xᵀ of a matrix. */
export function transposed(x: tf.Tensor2D): tf.Tensor2D {
  return tf.transpose(x);
}

/**
 * Matrix product, [m, k] · [k, n] after the operands are transposed where asked for. On the wasm backend the plain
 * product is 14 times as fast as the transposed one, so transposition is a step of its own, here and in the
 * gradients.
 */
export function matMul(a: tf.Tensor2D, b: tf.Tensor2D, transposeA = false, transposeB = false): tf.Tensor2D {
  return tf.tidy(() => product(transposeA ? transposed(a) : a, transposeB ? transposed(b) : b));
}

const product = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D =>
  withGradient<tf.Tensor2D>([a, b], (keep) => {
    const [savedA, savedB] = [keep(a), keep(b)];
    return {
      value: tf.matMul(a, b),
      gradient: (dy) => [tf.matMul(dy, transposed(savedB())), tf.matMul(transposed(savedA()), dy)],
    };
  });

/** Sums the rows of a matrix by a product with ones: [T, n] → [n]. Reductions over axis 0 are slow on wasm. */
export function columnSums(x: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => tf.reshape(tf.matMul<tf.Tensor2D>(tf.ones([1, x.shape[0]]), x), [x.shape[1]]));
}

/** Gradient of W in y = x·Wᵀ: dyᵀ·x, [out, in]. */
export function weightGradient(dy: tf.Tensor2D, x: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.matMul(transposed(dy), x));
}

/**
 * y = x·Wᵀ + b.
 *
 * @param x [T, in]
 * @param weight [out, in], as PyTorch lays it out
 * @param bias [out] or null
 * @returns [T, out]
 */
export function linear(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D | null,
  precision: Precision = 'float32',
): tf.Tensor2D {
  const inputs = bias === null ? [x, weight] : [x, weight, bias];
  return hasKernel('Linear', 'LinearGradient') ? fusedLinear(inputs, precision) : compositeLinear(inputs);
}

function compositeLinear([x, weight, bias]: tf.Tensor[]): tf.Tensor2D {
  return withGradient<tf.Tensor2D>(bias === undefined ? [x, weight] : [x, weight, bias], (keep) => {
    const [savedX, savedWeight] = [keep(x as tf.Tensor2D), keep(weight)];
    const product = tf.matMul<tf.Tensor2D>(x, transposed(weight as tf.Tensor2D));
    return {
      value: bias === undefined ? product : tf.add<tf.Tensor2D>(product, bias),
      gradient: (dy) => {
        const gradients: tf.Tensor[] = [tf.matMul(dy, savedWeight()), weightGradient(dy, savedX())];
        if (bias !== undefined) gradients.push(columnSums(dy));
        return gradients;
      },
    };
  });
}

function fusedLinear([x, weight, bias]: tf.Tensor[], precision: Precision): tf.Tensor2D {
  return withGradient<tf.Tensor2D>(bias === undefined ? [x, weight] : [x, weight, bias], (keep) => {
    const [savedX, savedWeight] = [keep(x), keep(weight)];
    const savedBias = bias === undefined ? () => null : keep(bias);
    return {
      value: runFused('Linear', { x, weight, bias: bias ?? null }, { precision })[0] as tf.Tensor2D,
      gradient: (dy) =>
        runFused(
          'LinearGradient',
          { dy, x: savedX(), weight: savedWeight(), bias: savedBias() },
          { precision },
        ),
    };
  });
}

/** The same by tfjs alone, differentiated by its autodiff: the oracle of `linear`. */
export function linearReference(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D | null): tf.Tensor2D {
  const product = tf.matMul<tf.Tensor2D>(x, tf.transpose(weight));
  return bias === null ? product : tf.add(product, bias);
}
