import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { embedding, embeddingReference } from '../../src/ops/embedding.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { checkOp, compareWithReference, type Op } from './gradient-check.js';
import { matrix, rowsOf } from './samples.js';

const op =
  (tokens: Int32Array): Op =>
  (table) =>
    embedding(tokens, table as tf.Tensor2D);
const reference =
  (tokens: Int32Array): Op =>
  (table) =>
    tf.tidy(() => embeddingReference(tokens, table as tf.Tensor2D));

onEachBackend(() => {
  test('rows of the table, bit for bit', () => {
    tf.tidy(() => {
      const table = matrix(7, 5);
      const rows = rowsOf(table);
      const tokens = Int32Array.of(6, 0, 3, 3, 0, 5, 3);
      assert.deepEqual(
        rowsOf(embedding(tokens, table)),
        Array.from(tokens, (token) => rows[token]),
      );
    });
  });

  test('gradients: distinct, repeated and all equal tokens, one token, width 1', () => {
    const cases: [tokens: number[], size: number, width: number][] = [
      [[2, 0, 3, 1], 4, 3],
      [[5, 1, 5, 5, 0, 1], 7, 3],
      [[2, 2, 2, 2, 2], 3, 4],
      [[1], 3, 5],
      [[0, 0], 2, 3],
      [[1, 0, 1], 3, 1],
    ];
    for (const [tokens, size, width] of cases) {
      checkOp(op(Int32Array.from(tokens)), reference(Int32Array.from(tokens)), [matrix(size, width)]);
    }
  });

  test('gradients of random tokens', () => {
    const token = fc.nat({ max: 8 });
    fc.assert(
      fc.property(
        fc.array(token, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 6 }),
        (ids, d) => {
          const tokens = Int32Array.from(ids);
          tf.tidy(() => compareWithReference(op(tokens), reference(tokens), [matrix(9, d)]));
        },
      ),
      { seed: 2, numRuns: 30 },
    );
  });

  test('rows that no token names have a gradient of exactly zero', () => {
    tf.tidy(() => {
      const gradient = tf.grad(op(Int32Array.of(1, 3, 1)))(matrix(5, 2), matrix(3, 2));
      const rows = rowsOf(gradient as tf.Tensor2D);
      for (const row of [0, 2, 4]) assert.deepEqual(rows[row], [0, 0]);
    });
  });

  test('NaN and ∞ stay in their rows, forward and back', () => {
    tf.tidy(() => {
      const strange = tf.tensor2d(
        [1, 2, Number.NaN, 4, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
        [3, 2],
      );
      const tokens = Int32Array.of(2, 0, 1);
      allClose(embedding(tokens, strange), [Infinity, -Infinity, 1, 2, Number.NaN, 4]);
      const gradient = tf.grad(op(tokens))(tf.zeros([4, 2]), strange);
      allClose(gradient, [Number.NaN, 4, Infinity, -Infinity, 1, 2, 0, 0]);
    });
  });

  test('no tokens: no rows, and a gradient of zeros', () => {
    tf.tidy(() => {
      const none = new Int32Array(0);
      assert.deepEqual(embedding(none, matrix(3, 2)).shape, [0, 2]);
      allClose(tf.grad(op(none))(matrix(3, 2)), tf.zeros([3, 2]));
    });
  });

  test('a token outside of the table throws', () => {
    tf.tidy(() => {
      for (const token of [3, -1]) {
        assert.throws(
          () => embedding(Int32Array.of(0, token), matrix(3, 2)),
          /index value -?\d+ is not in \[0, 2\]|a token lies outside of the table/,
        );
      }
    });
  });
});
