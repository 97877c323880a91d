import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  columnSums,
  linear,
  linearReference,
  matMul,
  transposed,
  weightGradient,
} from '../../src/ops/matmul.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { checkOp, type Op } from './gradient-check.js';
import { matrix, rowsOf, vector } from './samples.js';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** In doubles, [m, k] · [k, n]. */
const product = (a: number[][], b: number[][]): number[] =>
  a.flatMap((row) => b[0].map((_, j) => row.reduce((sum, x, i) => sum + x * b[i][j], 0)));

const transpose = (a: number[][]): number[][] => a[0].map((_, j) => a.map((row) => row[j]));

const operand = (rows: number, columns: number, swapped: boolean, seed: number): tf.Tensor2D =>
  swapped ? matrix(columns, rows, seed) : matrix(rows, columns, seed);

const FLAGS = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;
const size = fc.integer({ min: 1, max: 19 });

onEachBackend(() => {
  test('matMul: products of random shapes, worked in doubles, however the operands lie', () => {
    fc.assert(
      fc.property(size, size, size, fc.constantFrom(...FLAGS), (m, k, n, [swapA, swapB]) => {
        tf.tidy(() => {
          const [a, b] = [operand(m, k, swapA, 1), operand(k, n, swapB, 2)];
          const [left, right] = [rowsOf(a), rowsOf(b)];
          const expected = product(swapA ? transpose(left) : left, swapB ? transpose(right) : right);
          const found = matMul(a, b, swapA, swapB);
          assert.deepEqual(found.shape, [m, n]);
          allClose(found, expected, { absolute: 1e-5 });
        });
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  for (const [swapA, swapB] of FLAGS) {
    test(`matMul: gradients, transposeA ${swapA}, transposeB ${swapB}`, () => {
      const op: Op = (a, b) => matMul(a as tf.Tensor2D, b as tf.Tensor2D, swapA, swapB);
      const reference: Op = (a, b) =>
        tf.matMul(swapA ? tf.transpose(a) : a, swapB ? tf.transpose(b) : b) as tf.Tensor;
      for (const [m, k, n] of [
        [1, 1, 1],
        [3, 5, 7],
        [17, 4, 9],
      ]) {
        checkOp(op, reference, [operand(m, k, swapA, 1), operand(k, n, swapB, 2)]);
      }
    });
  }

  test('linear: x·Wᵀ + b by hand', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
      const weight = tf.tensor2d([1, 0, -1, 2, 2, 2], [2, 3]);
      allClose(linear(x, weight, null), tf.tensor2d([-2, 12, -2, 30], [2, 2]));
      allClose(linear(x, weight, tf.tensor1d([10, 20])), tf.tensor2d([8, 32, 8, 50], [2, 2]));
    });
  });

  test('linear: gradients with and without a bias, where either operand of dyᵀ·x is the smaller', () => {
    const op: Op = (x, w, b) => linear(x as tf.Tensor2D, w as tf.Tensor2D, (b as tf.Tensor1D) ?? null);
    const reference: Op = (x, w, b) =>
      tf.tidy(() => linearReference(x as tf.Tensor2D, w as tf.Tensor2D, (b as tf.Tensor1D) ?? null));
    for (const [rows, inner, outer] of [
      [1, 1, 1],
      [1, 7, 3],
      [5, 3, 7],
      [40, 2, 31],
    ]) {
      checkOp(op, reference, [matrix(rows, inner, 1), matrix(outer, inner, 2), vector(outer, 3)]);
      checkOp(op, reference, [matrix(rows, inner, 1), matrix(outer, inner, 2)]);
    }
  });

  test('linear: no rows give no rows', () => {
    tf.tidy(() => {
      assert.deepEqual(linear(tf.zeros([0, 3]), matrix(2, 3), vector(2)).shape, [0, 2]);
    });
  });

  test('linear: 1e4, −1e9 and zeros stay numbers', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([1e4, 0, -1e9, 0, 0, 0], [3, 2]);
      const found = linear(x, tf.tensor2d([1e4, 1, 0, 1e9], [2, 2]), tf.tensor1d([0, -1]));
      allClose(found, [1e8, -1, -1e13, -1, 0, -1]);
    });
  });

  test('linear: NaN and ∞ of a row reach that row alone, of a weight its column alone', () => {
    tf.tidy(() => {
      const ones = (rows: number) => tf.ones<tf.Rank.R2>([rows, 2]);
      const x = tf.tensor2d([1, nan, inf, 1, -inf, inf, 1, 1], [4, 2]);
      allClose(linear(x, ones(2), vector(2)), linearReference(x, ones(2), vector(2)));
      allClose(linear(x, ones(1), null), [nan, inf, nan, 2]);
      allClose(linear(ones(2), tf.tensor2d([nan, 0, inf, 1, 1, 1], [3, 2]), null), [
        nan,
        inf,
        2,
        nan,
        inf,
        2,
      ]);
      allClose(linear(tf.zeros([1, 2]), tf.tensor2d([inf, 1, 1, 1], [2, 2]), null), [nan, 0]);
    });
  });

  test('columnSums and weightGradient equal their definitions, whichever way the product goes', () => {
    tf.tidy(() => {
      for (const [rows, inner, outer] of [
        [5, 3, 7],
        [40, 2, 31],
        [1, 1, 1],
      ]) {
        const [x, dy] = [matrix(rows, inner, 1), matrix(rows, outer, 2)];
        allClose(weightGradient(dy, x), product(transpose(rowsOf(dy)), rowsOf(x)), { absolute: 1e-5 });
        allClose(columnSums(dy), product([Array(rows).fill(1)], rowsOf(dy)), { absolute: 1e-5 });
        assert.deepEqual(weightGradient(dy, x).shape, [outer, inner]);
        assert.deepEqual(transposed(x).shape, [inner, rows]);
      }
    });
  });
});
