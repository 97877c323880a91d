import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Layout, layoutOf, padRows, unpadRows } from '../../src/ops/padding.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { checkOp, type Op } from './gradient-check.js';
import { matrix, offsetsOf, rowsOf } from './samples.js';

const LENGTHS = [[1], [1, 1, 1], [3, 3], [2, 0, 5, 1], [0, 2], [17, 1, 2, 1, 1, 3]];
const lengths = fc
  .array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 6 })
  .filter((sizes) => sizes.some((size) => size > 0));

/** The cells that rows move to, as a matrix of zeros and ones, [B · L, T]. */
function moves({ rows, toGrid }: Layout): tf.Tensor2D {
  const values = new Float32Array(toGrid.length * rows);
  toGrid.forEach((row, cell) => {
    if (row < rows) values[cell * rows + row] = 1;
  });
  return tf.tensor2d(values, [toGrid.length, rows]);
}

test('layoutOf: every row has the cell of its sentence and place, the other cells none', () => {
  fc.assert(
    fc.property(lengths, (sizes) => {
      const { sentences, length, rows, toGrid, toPacked } = layoutOf(offsetsOf(sizes));
      assert.deepEqual([sentences, length], [sizes.length, Math.max(...sizes)]);
      const cells = sizes.flatMap((size, i) => Array.from({ length: size }, (_, j) => i * length + j));
      assert.deepEqual([...toPacked], cells);
      assert.equal(rows, cells.length);
      const expected = Array.from({ length: sizes.length * length }, (_, cell) => {
        const row = cells.indexOf(cell);
        return row === -1 ? rows : row;
      });
      assert.deepEqual([...toGrid], expected);
    }),
    { seed: 3, numRuns: 100 },
  );
});

test('layoutOf: kept with its offsets, and others of equal contents have their own', () => {
  const offsets = offsetsOf([2, 3]);
  assert.equal(layoutOf(offsets), layoutOf(offsets));
  assert.deepEqual(layoutOf(offsets.slice()), layoutOf(offsets));
});

onEachBackend(() => {
  test('padding puts zeros in the padding, unpadding gives the rows back bit for bit', () => {
    for (const sizes of LENGTHS) {
      tf.tidy(() => {
        const layout = layoutOf(offsetsOf(sizes));
        const x = matrix(layout.rows, 3);
        const grid = padRows(x, layout);
        assert.deepEqual(grid.shape, [layout.toGrid.length, 3]);
        rowsOf(grid).forEach((row, cell) => {
          assert.deepEqual(row, rowsOf(x)[layout.toGrid[cell]] ?? [0, 0, 0]);
        });
        assert.deepEqual(rowsOf(unpadRows(grid, layout)), rowsOf(x));
      });
    }
  });

  test('gradients of both moves', () => {
    for (const sizes of LENGTHS.filter((sizes) => new Set(sizes).size > 1)) {
      const layout = layoutOf(offsetsOf(sizes));
      const pad: Op = (x) => padRows(x as tf.Tensor2D, layout);
      const unpad: Op = (x) => unpadRows(x as tf.Tensor2D, layout);
      const padReference: Op = (x) => tf.tidy(() => tf.matMul(moves(layout), x));
      const unpadReference: Op = (x) => tf.tidy(() => tf.matMul(tf.transpose(moves(layout)), x));
      checkOp(pad, padReference, [matrix(layout.rows, 3)]);
      checkOp(unpad, unpadReference, [matrix(layout.toGrid.length, 3)]);
    }
  });

  test('sentences of one length need no move', () => {
    tf.tidy(() => {
      const x = matrix(6, 2);
      const layout = layoutOf(offsetsOf([2, 2, 2]));
      assert.equal(padRows(x, layout), x);
      assert.equal(unpadRows(x, layout), x);
    });
  });

  test('NaN and ∞ stay in their rows; what stands in the padding goes nowhere', () => {
    tf.tidy(() => {
      const layout = layoutOf(offsetsOf([1, 2]));
      const x = tf.tensor2d([Number.NaN, Number.POSITIVE_INFINITY, 3], [3, 1]);
      allClose(padRows(x, layout), [Number.NaN, 0, Infinity, 3]);
      const grid = tf.tensor2d([1, Number.NaN, Number.NEGATIVE_INFINITY, 3], [4, 1]);
      allClose(unpadRows(grid, layout), [1, -Infinity, 3]);
      const [gradient] = tf.grads((y: tf.Tensor) => padRows(y as tf.Tensor2D, layout))([x], grid);
      allClose(gradient, [1, -Infinity, 3]);
    });
  });
});
