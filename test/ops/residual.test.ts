import { test } from 'node:test';
import { residualNorm, residualNormReference, scaleColumns } from '../../src/ops/residual.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { checkOp, type Op } from './gradient-check.js';
import { matrix, vector } from './samples.js';

const SHAPES = [
  [1, 1],
  [1, 9],
  [6, 1],
  [5, 7],
  [23, 32],
];

type Sublayer = typeof residualNorm;

/** As an op of (x, branch, ω, gain, bias), or without the ω. */
const scaled =
  (norm: Sublayer): Op =>
  (x, branch, omega, gain, bias) =>
    tf.tidy(() =>
      norm(
        x as tf.Tensor2D,
        branch as tf.Tensor2D,
        omega as tf.Tensor1D,
        gain as tf.Tensor1D,
        bias as tf.Tensor1D,
      ),
    );
const plain =
  (norm: Sublayer): Op =>
  (x, branch, gain, bias) =>
    norm(x as tf.Tensor2D, branch as tf.Tensor2D, null, gain as tf.Tensor1D, bias as tf.Tensor1D);

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

onEachBackend(() => {
  test('scaleColumns: value and gradients', () => {
    for (const [rows, width] of SHAPES) {
      const op: Op = (x, omega) => scaleColumns(x as tf.Tensor2D, omega as tf.Tensor1D);
      checkOp(op, (x, omega) => tf.mul(x, omega), [matrix(rows, width, 1), vector(width, 2)]);
    }
  });

  test('scaleColumns: NaN, ∞ and 0·∞ by the rules of floats, forward and back', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1, nan, inf, -inf, 2, inf], [2, 3]);
      const omega = tf.tensor1d([-1, 2, 0]);
      allClose(scaleColumns(x, omega), [-1, nan, nan, inf, 4, nan]);
      const op: Op = (a, b) => scaleColumns(a as tf.Tensor2D, b as tf.Tensor1D);
      const [dx, dOmega] = tf.grads(op)([x, omega], tf.ones([2, 3]));
      allClose(dx, [-1, 2, 0, -1, 2, 0]);
      allClose(dOmega, [-inf, nan, inf]);
    });
  });

  test('LN(x·ω + f(x)) by hand', () => {
    tf.tidy(() => {
      // x·ω + f = [1, 3, 5, 7] and [0, 0, 0, 4]: means 4 and 1, variances 5 and 3
      const x = tf.tensor2d([1, 1, 1, 1, 1, 2, 0, 1], [2, 4]);
      const omega = tf.tensor1d([0, 1, 2, 3]);
      const branch = tf.tensor2d([1, 2, 3, 4, 0, -2, 0, 1], [2, 4]);
      const [gain, bias] = [tf.tensor1d([1, 2, 1, 1]), tf.tensor1d([0, 0, 0, 10])];
      const [first, second] = [Math.sqrt(5 + 1e-5), Math.sqrt(3 + 1e-5)];
      const expected = [-3 / first, -2 / first, 1 / first, 10 + 3 / first];
      expected.push(-1 / second, -2 / second, -1 / second, 10 + 3 / second);
      allClose(residualNorm(x, branch, omega, gain, bias), expected);
    });
  });

  test('residualNorm: gradients with ω and without', () => {
    for (const [rows, width] of SHAPES.filter(([, width]) => width > 1)) {
      const inputs = () => [matrix(rows, width, 1), matrix(rows, width, 2)];
      const weights = () => [vector(width, 4), vector(width, 5)];
      const [op, reference] = [scaled(residualNorm), scaled(residualNormReference)];
      checkOp(op, reference, [...inputs(), vector(width, 3), ...weights()]);
      checkOp(plain(residualNorm), (...args) => tf.tidy(() => plain(residualNormReference)(...args)), [
        ...inputs(),
        ...weights(),
      ]);
    }
  });

  test('residualNorm: one tensor as shortcut and branch gets both gradients', () => {
    const twice =
      (norm: Sublayer): Op =>
      (x, omega, gain, bias) =>
        scaled(norm)(x, x, omega, gain, bias);
    checkOp(twice(residualNorm), twice(residualNormReference), [
      matrix(4, 6, 1),
      vector(6, 2),
      vector(6, 3),
      vector(6, 4),
    ]);
  });

  test('residualNorm: ω = 1 is the same as none', () => {
    tf.tidy(() => {
      const [x, branch, gain, bias] = [matrix(3, 5, 1), matrix(3, 5, 2), vector(5, 3), vector(5, 4)];
      const [withOne, without] = [tf.ones<tf.Rank.R1>([5]), null].map((omega) =>
        residualNorm(x, branch, omega, gain, bias),
      );
      allClose(withOne, without, { absolute: 0, relative: 0 });
    });
  });

  test('residualNorm: NaN of the shortcut or the branch stays in its row', () => {
    tf.tidy(() => {
      const [x, branch] = [
        tf.tensor2d([nan, 1, 1, 2, 1, 2], [3, 2]),
        tf.tensor2d([1, 2, 1, 2, inf, 2], [3, 2]),
      ];
      const found = residualNorm(x, branch, tf.ones([2]), tf.ones([2]), tf.zeros([2]));
      const one = 2 / Math.sqrt(4 + 4e-5);
      allClose(found, [nan, nan, -one, one, nan, nan]);
    });
  });
});
