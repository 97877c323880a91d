import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AttentionOptions, attention } from '../../src/ops/attention.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { matrix, offsetsOf, rowsOf } from './samples.js';

const OPTIONS: AttentionOptions = { heads: 1, causal: false, dropout: 0, key: null };
const OFFSETS = offsetsOf([2, 3, 1]);
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Finite inputs of width 2 with some elements of one of them changed. */
function withStrange(which: number, row: number, values: number[]): tf.Tensor2D[] {
  return [1, 2, 3].map((seed, i) => {
    const rows = rowsOf(matrix(6, 2, seed));
    if (i === which) rows[row] = values;
    return tf.tensor2d(rows);
  });
}

const attend = (inputs: tf.Tensor[], options = OPTIONS): tf.Tensor2D => {
  const [q, k, v] = inputs as tf.Tensor2D[];
  return attention(q, k, v, OFFSETS, OFFSETS, options);
};

const isNaNRow = (row: number[]) => row.every(Number.isNaN);
const isFiniteRow = (row: number[]) => row.every(Number.isFinite);

onEachBackend(() => {
  test('NaN or ∞ in a query: its row is NaN, every other as it was', () => {
    for (const strange of [nan, inf, -inf]) {
      tf.tidy(() => {
        const before = rowsOf(attend(withStrange(-1, 0, [])));
        const found = rowsOf(attend(withStrange(0, 3, [strange, strange])));
        assert.ok(isNaNRow(found[3]));
        for (const row of [0, 1, 2, 4, 5]) assert.deepEqual(found[row], before[row]);
      });
    }
  });

  test('NaN in a key: its sentence is NaN, the others as they were', () => {
    tf.tidy(() => {
      const before = rowsOf(attend(withStrange(-1, 0, [])));
      const found = rowsOf(attend(withStrange(1, 3, [nan, 1])));
      for (const row of [2, 3, 4]) assert.ok(isNaNRow(found[row]));
      for (const row of [0, 1, 5]) assert.deepEqual(found[row], before[row]);
    });
  });

  test('NaN and ∞ in a value go to their column of their sentence alone', () => {
    tf.tidy(() => {
      const before = rowsOf(attend(withStrange(-1, 0, [])));
      const found = rowsOf(attend(withStrange(2, 3, [nan, inf])));
      for (const row of [2, 3, 4]) allClose(found[row], [nan, inf]);
      for (const row of [0, 1, 5]) assert.deepEqual(found[row], before[row]);
      const other = rowsOf(attend(withStrange(2, 5, [-inf, 7])));
      allClose(other[5], [-inf, 7]);
      for (const row of [0, 1, 2, 3, 4]) assert.deepEqual(other[row], before[row]);
    });
  });

  test('causal: NaN in a key or a value is in every row that sees it', () => {
    tf.tidy(() => {
      for (const which of [1, 2]) {
        const found = rowsOf(attend(withStrange(which, 3, [nan, nan]), { ...OPTIONS, causal: true }));
        for (const row of [3, 4]) assert.ok(isNaNRow(found[row]));
        for (const row of [0, 1, 5]) assert.ok(isFiniteRow(found[row]));
      }
    });
  });

  test('the gradient of NaN: NaN in its sentence, numbers in the others', () => {
    tf.tidy(() => {
      for (const which of [0, 1, 2]) {
        const gradients = tf.grads((...args: tf.Tensor[]) => attend(args))(withStrange(which, 1, [nan, nan]));
        const [dq, dk] = gradients.map((gradient) => rowsOf(gradient as tf.Tensor2D));
        for (const gradient of [dq, dk]) {
          assert.ok(isNaNRow(gradient[1]));
          for (const row of [2, 3, 4, 5]) assert.ok(isFiniteRow(gradient[row]));
        }
      }
    });
  });

  test('a gradient of NaN or ∞ stays in the sentence that it comes from', () => {
    tf.tidy(() => {
      for (const strange of [nan, inf]) {
        const dy = tf.tensor2d([1, 1, 1, 1, strange, strange, 1, 1, 1, 1, 1, 1], [6, 2]);
        const gradients = tf.grads((...args: tf.Tensor[]) => attend(args))(withStrange(-1, 0, []), dy);
        gradients.forEach((gradient, i) => {
          const rows = rowsOf(gradient as tf.Tensor2D);
          for (const row of [0, 1, 5]) assert.ok(isFiniteRow(rows[row]), `${row} of input ${i}`);
          const reached = i === 0 ? [2] : [2, 3, 4];
          for (const row of reached) assert.ok(!rows[row].some(Number.isFinite), `${row} of input ${i}`);
        });
      }
    });
  });
});
