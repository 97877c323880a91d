import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import { tf } from '../../../src/ops/tf.js';
import { allClose } from '../../ops/all-close.js';
import { availableBackends } from '../../ops/backends.js';
import { matrix } from '../../ops/samples.js';
import { expectedOf, productOf } from './products.js';

const skip = !availableBackends.includes('webgpu') && 'there is no graphics card, not even in software';

/** Results of few tiles, of which the smaller are made, and of many; none of them whole. */
const SIZES = [
  [1, 1, 1],
  [17, 33, 5],
  [260, 259, 19],
  [1030, 50, 33],
] as const;

describe('products on a graphics card', { skip }, () => {
  before(() => initBackend('webgpu'));

  for (const [m, n, k] of SIZES) {
    test(`${m} × ${n} over ${k}, either operand either way round; and added to what is there`, () => {
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const expected = expectedOf(m, n, k, transposeA, transposeB);
          const [once, twice] = productOf(m, n, k, { transposeA, transposeB, twice: true });
          allClose(once, expected, { absolute: 2e-5 });
          assert.deepEqual(
            twice,
            once.map((value) => 2 * value),
          );
        }
      }
    });
  }

  test('a result of many of the widest tiles', () => {
    const [m, n, k] = [1500, 1410, 7];
    allClose(productOf(m, n, k, { transposeB: true })[0], expectedOf(m, n, k, false, true), {
      absolute: 2e-5,
    });
  });

  test('a batch of matrices, and part of a wider one', () => {
    tf.tidy(() => {
      const [a, b] = [tf.reshape(matrix(6, 35, 1), [6, 5, 7]), tf.reshape(matrix(6, 21, 2), [6, 7, 3])];
      const found = tf.matMul(a, b);
      const each = tf
        .unstack(a)
        .map((one, i) => tf.matMul(one as tf.Tensor2D, tf.unstack(b)[i] as tf.Tensor2D));
      allClose(found, tf.stack(each));
    });
  });
});
