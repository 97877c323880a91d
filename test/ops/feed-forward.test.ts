import { test } from 'node:test';
import { dropoutMask } from '../../src/ops/dropout.js';
import { type Activation, activate, feedForward } from '../../src/ops/feed-forward.js';
import { linearReference } from '../../src/ops/matmul.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { checkOp, type Op } from './gradient-check.js';
import { matrix, vector } from './samples.js';

const KEY = { seed: 11, step: 2, site: 4 };
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** As an op of (x, fc1 weight and bias, fc2 weight and bias). */
const branch =
  (activation: Activation, dropout: number): Op =>
  (x, fc1Weight, fc1Bias, fc2Weight, fc2Bias) =>
    feedForward(
      x as tf.Tensor2D,
      {
        fc1Weight: fc1Weight as tf.Tensor2D,
        fc1Bias: fc1Bias as tf.Tensor1D,
        fc2Weight: fc2Weight as tf.Tensor2D,
        fc2Bias: fc2Bias as tf.Tensor1D,
      },
      { activation, dropout, key: dropout === 0 ? null : KEY },
    );

/** The same from tfjs's own kernels; the mask of the inner layer is that of its elements in order. */
const reference =
  (activation: Activation, dropout: number): Op =>
  (x, fc1Weight, fc1Bias, fc2Weight, fc2Bias) =>
    tf.tidy(() => {
      const before = linearReference(x as tf.Tensor2D, fc1Weight as tf.Tensor2D, fc1Bias as tf.Tensor1D);
      const gelu = () => tf.mul(before, tf.mul(tf.add(tf.erf(tf.div(before, Math.SQRT2)), 1), 0.5));
      const inner = activation === 'relu' ? tf.relu(before) : gelu();
      const mask = tf.tensor(dropoutMask(inner.size, dropout, KEY), inner.shape);
      const dropped = dropout === 0 ? inner : tf.mul(inner, mask);
      return linearReference(dropped as tf.Tensor2D, fc2Weight as tf.Tensor2D, fc2Bias as tf.Tensor1D);
    });

onEachBackend(() => {
  for (const activation of ['relu', 'gelu'] as const) {
    for (const dropout of [0, 0.3]) {
      test(`value and gradients: ${activation}, dropout ${dropout}`, () => {
        for (const [rows, width, inner] of [
          [1, 1, 1],
          [1, 5, 9],
          [7, 3, 13],
          [9, 8, 4],
        ]) {
          checkOp(branch(activation, dropout), reference(activation, dropout), [
            matrix(rows, width, 1),
            matrix(inner, width, 2),
            vector(inner, 3),
            matrix(width, inner, 4),
            vector(width, 5),
          ]);
        }
      });
    }
  }

  test('relu and gelu by hand; gelu has the exact Φ', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([-3, -1, -0.5, 0, 0.5, 1, 3], [1, 7]);
      allClose(activate(x, 'relu'), [0, 0, 0, 0, 0.5, 1, 3]);
      // x·Φ(x), Φ from tables of the normal distribution
      const tail = [0.0013498980316301, 0.158655253931457, 0.308537538725987];
      const negative = [-3 * tail[0], -tail[1], -0.5 * tail[2]];
      const positive = [0.5 * (1 - tail[2]), 1 - tail[1], 3 * (1 - tail[0])];
      allClose(activate(x, 'gelu'), [...negative, 0, ...positive], { absolute: 1e-6 });
    });
  });

  test('extremes: 1e4, −1e9, NaN and +∞ go through both activations by the rules of floats', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1e4, -1e9, nan, inf], [1, 4]);
      allClose(activate(x, 'relu'), [1e4, 0, nan, inf]);
      allClose(activate(x, 'gelu'), [1e4, 0, nan, inf]);
      allClose(activate(tf.tensor2d([-inf], [1, 1]), 'relu'), [0]);
      allClose(activate(tf.tensor2d([-inf], [1, 1]), 'gelu'), [nan]); // −∞ · 0, as in PyTorch
    });
  });

  test('NaN stays in its row', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([nan, 1, 1, 1], [2, 2]);
      const weights = [tf.ones([3, 2]), tf.zeros([3]), tf.ones([2, 3]), tf.tensor1d([0, 1])];
      allClose(branch('relu', 0)(x, ...weights), [nan, nan, 6, 7]);
    });
  });
});
