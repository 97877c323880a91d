import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { initBackend } from '../../src/backend/init.js';
import { tf } from '../../src/ops/tf.js';
import { withGradient } from '../../src/ops/with-gradient.js';
import { allClose } from './all-close.js';
import { checkDifferences, checkOp, compareWithReference, type Op } from './gradient-check.js';
import { leavesNothing } from './leak-check.js';
import { matrix } from './samples.js';

before(() => initBackend('cpu'));

/** x² with a gradient that is off by a factor. */
const squareTimes =
  (factor: number): Op =>
  (x) =>
    withGradient([x], (keep) => {
      const saved = keep(x);
      return { value: tf.square(x), gradient: (dy) => [tf.mul(dy, tf.mul(saved(), 2 * factor))] };
    });

test('a right gradient passes', () => {
  checkOp(squareTimes(1), (x) => tf.square(x), [matrix(3, 5)]);
});

test('a gradient that is off by a percent fails in each way', () => {
  const wrong = squareTimes(1.01);
  assert.throws(
    () => compareWithReference(wrong, (x) => tf.square(x), [matrix(3, 5)]),
    /gradient of input 0: at \[/,
  );
  assert.throws(() => checkDifferences(wrong, [matrix(3, 5)]), /gradient of input 0: says/);
});

test('a wrong value fails', () => {
  assert.throws(
    () =>
      compareWithReference(
        (x) => tf.mul(x, 1.001),
        (x) => tf.mul(x, 1),
        [matrix(3, 5)],
      ),
    /value: at/,
  );
});

test('an op that leaves a tensor behind fails', () => {
  const untidy: Op = (x) => tf.neg(tf.square(x));
  assert.throws(() => leavesNothing(untidy, [matrix(2, 2)]), /tensors after the op/);
  const keeping: Op = (x) => tf.tidy(() => tf.neg(tf.keep(tf.square(x))));
  assert.throws(() => leavesNothing(keeping, [matrix(2, 2)]), /tensors after the op/);
});

test('tensors of different shapes differ, and the place is given in coordinates', () => {
  assert.throws(() => allClose(tf.zeros([2, 3]), tf.zeros([3, 2])), /shape/);
  const x = tf.tensor2d([0, 0, 0, 0, 1, 0], [2, 3]);
  assert.throws(() => allClose(x, tf.zeros([2, 3])), /at \[1, 1\]: found 1, expected 0/);
});
