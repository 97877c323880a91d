import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { layerNorm, layerNormReference } from '../../src/ops/layer-norm.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { checkOp, type Op } from './gradient-check.js';
import { matrix, rowsOf, vector } from './samples.js';

const op: Op = (x, gain, bias) => layerNorm(x as tf.Tensor2D, gain as tf.Tensor1D, bias as tf.Tensor1D);
const reference: Op = (x, gain, bias) =>
  tf.tidy(() => layerNormReference(x as tf.Tensor2D, gain as tf.Tensor1D, bias as tf.Tensor1D));

/** In doubles. */
function normalized(rows: number[][], gain: ArrayLike<number>, bias: ArrayLike<number>): number[] {
  return rows.flatMap((row) => {
    const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
    const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
    return row.map((x, i) => ((x - mean) / Math.sqrt(variance + 1e-5)) * gain[i] + bias[i]);
  });
}

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

onEachBackend(() => {
  test('random rows, worked in doubles', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 37 }), (rows, width) => {
        tf.tidy(() => {
          const [x, gain, bias] = [matrix(rows, width, 1), vector(width, 2), vector(width, 3)];
          const expected = normalized(rowsOf(x), gain.dataSync(), bias.dataSync());
          allClose(layerNorm(x, gain, bias), expected, { absolute: 2e-5 });
        });
      }),
      { seed: 4, numRuns: 30 },
    );
  });

  test('gradients', () => {
    for (const [rows, width] of [
      [1, 2],
      [1, 13],
      [7, 3],
      [5, 16],
      [19, 33],
    ]) {
      checkOp(op, reference, [matrix(rows, width, 1), vector(width, 2), vector(width, 3)]);
    }
  });

  test('the variance is that of the population, with 1e-5 under the root', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([-0.004, 0.004, 1, 3], [2, 2]);
      const [small, large] = [0.004 / Math.sqrt(1.6e-5 + 1e-5), 1 / Math.sqrt(1 + 1e-5)];
      allClose(layerNorm(x, tf.ones([2]), tf.zeros([2])), [-small, small, -large, large]);
    });
  });

  test('constant rows, rows of zeros and width 1 give the bias, and no gradient of x is NaN', () => {
    tf.tidy(() => {
      const bias = tf.tensor1d([4, 5, 6]);
      const x = tf.tensor2d([0, 0, 0, 2, 2, 2], [2, 3]);
      assert.deepEqual(rowsOf(layerNorm(x, vector(3), bias)), [
        [4, 5, 6],
        [4, 5, 6],
      ]);
      const [dx] = tf.grads(op)([x, vector(3), bias], matrix(2, 3, 5));
      assert.ok(dx.dataSync().every(Number.isFinite));
      const narrow = [tf.tensor2d([7, -1e4], [2, 1]), tf.tensor1d([3]), tf.tensor1d([0.5])];
      allClose(op(...narrow), [0.5, 0.5]);
      const gradients = tf.grads(op)(narrow, tf.tensor2d([1, 2], [2, 1]));
      allClose(gradients[0], [0, 0]);
      allClose(gradients[1], [0]);
      allClose(gradients[2], [3]);
    });
  });

  test('a large mean and large values lose no more than float32 must', () => {
    tf.tidy(() => {
      const rows = [
        [10000, 10001, 10003, 9998],
        [-1e9, 1e9, 0, 1e9],
        [1e4, -1e4, 0, 0],
      ];
      const expected = normalized(rows, [1, 1, 1, 1], [0, 0, 0, 0]);
      allClose(layerNorm(tf.tensor2d(rows), tf.ones([4]), tf.zeros([4])), expected, { absolute: 1e-4 });
    });
  });

  test('NaN and ∞ make NaN of their row alone, forward and back', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1, nan, 2, 1, 2, 3, inf, 1, 2, -inf, 0, inf], [4, 3]);
      const weights = [vector(3, 2), vector(3, 3)];
      const found = rowsOf(op(x, ...weights) as tf.Tensor2D);
      const [dx, ...others] = tf.grads(op)([x, ...weights], matrix(4, 3, 4));
      const gradient = rowsOf(dx as tf.Tensor2D);
      for (const row of [0, 2, 3]) {
        allClose(found[row], [nan, nan, nan]);
        allClose(gradient[row], [nan, nan, nan]);
      }
      assert.ok([...found[1], ...gradient[1]].every(Number.isFinite));
      allClose(others[0], [nan, nan, nan]);
      assert.ok(others[1].dataSync().every(Number.isFinite));
    });
  });

  test('no rows give no rows', () => {
    tf.tidy(() => {
      assert.deepEqual(layerNorm(tf.zeros([0, 3]), vector(3), vector(3)).shape, [0, 3]);
    });
  });
});
