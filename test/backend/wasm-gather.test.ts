import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { initBackend } from '../../src/backend/init.js';
import { tf } from '../../src/ops/tf.js';

before(() => initBackend('wasm'));

const rows = (dtype: 'float32' | 'int32'): tf.Tensor2D => tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2], dtype);

/** What is gathered along the first axis. */
function gathered(x: tf.Tensor, places: number[]): { dtype: string; values: unknown } {
  return tf.tidy(() => {
    const found = tf.gather(x, tf.tensor1d(places, 'int32'));
    return { dtype: found.dtype, values: found.arraySync() };
  });
}

test('rows, the first and the last of them, in any order and more than once', () => {
  for (const dtype of ['float32', 'int32'] as const) {
    const values = [
      [5, 6],
      [1, 2],
      [5, 6],
    ];
    assert.deepEqual(gathered(rows(dtype), [2, 0, 2]), { dtype, values });
  }
});

test('numbers of a vector, matrices, and columns', () => {
  assert.deepEqual(gathered(tf.tensor1d([7, 8, 9]), [2, 0]), { dtype: 'float32', values: [9, 7] });
  assert.deepEqual(gathered(tf.reshape(rows('float32'), [3, 1, 2]), [2, 0]).values, [[[5, 6]], [[1, 2]]]);
  const columns = tf.gather(rows('float32'), tf.tensor1d([1], 'int32'), 1);
  assert.deepEqual(columns.arraySync(), [[2], [4], [6]]);
});

test('a place outside of the rows is refused', () => {
  for (const place of [-1, 3])
    assert.throws(() => gathered(rows('float32'), [place]), {
      message: `GatherV2: the index value ${place} is not in [0, 2]`,
    });
});
