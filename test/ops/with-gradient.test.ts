import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tf } from '../../src/ops/tf.js';
import { withGradient } from '../../src/ops/with-gradient.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { checkOp } from './gradient-check.js';
import { matrix } from './samples.js';

/** a · exp(b), which keeps an input and an intermediate. */
const timesExp = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
  withGradient([a, b], (keep) => {
    const power = tf.exp(b);
    const [savedA, savedPower] = [keep(a), keep(power)];
    return {
      value: tf.mul(a, power),
      gradient: (dy) => [tf.mul(dy, savedPower()), tf.mul(dy, tf.mul(savedA(), savedPower()))],
    };
  });

onEachBackend(() => {
  test('gradients go to the inputs in their order', () => {
    checkOp(timesExp, (a, b) => tf.mul(a, tf.exp(b)), [matrix(3, 5, 1), matrix(3, 5, 2)]);
  });

  test('an input given twice gets both gradients', () => {
    checkOp(
      (x) => timesExp(x, x),
      (x) => tf.mul(x, tf.exp(x)),
      [matrix(3, 5)],
    );
  });

  test('one op may be called many times under one tape, each with what it kept itself', () => {
    checkOp(
      (x) => tf.tidy(() => timesExp(timesExp(x, tf.mul(x, 0.5)), tf.mul(x, -0.25))),
      (x) => tf.tidy(() => tf.mul(x, tf.exp(tf.mul(x, 0.25)))),
      [matrix(3, 5)],
    );
  });

  test('the forward pass may dispose of what was kept', () => {
    tf.tidy(() => {
      const gradient = tf.grad((x: tf.Tensor) =>
        tf.tidy(() => {
          const y = timesExp(x, tf.mul(x, 0));
          return timesExp(y, tf.mul(y, 0));
        }),
      );
      allClose(gradient(tf.ones([2, 3])), tf.ones([2, 3]));
    });
  });

  test('a gradient releases all but its results before the next one runs', () => {
    const counts: number[] = [];
    const op = (input: tf.Tensor) =>
      withGradient([input], () => ({
        value: tf.mul(input, 3),
        gradient: (dy) => {
          counts.push(tf.memory().numTensors);
          const scraps = Array.from({ length: 5 }, () => tf.mul(dy, 3));
          return [scraps[4]];
        },
      }));
    const x = tf.tensor1d([3]);
    const gradient = tf.grad((y: tf.Tensor) => op(op(op(op(y)))))(x);
    const grown = counts.slice(1).map((count, i) => count - counts[i]);
    assert.ok(grown.length === 3 && grown.every((more) => more <= 1), grown.join());
    allClose(gradient, [81]);
    tf.dispose([x, gradient]);
  });

  test('a gradient that gives fewer tensors than inputs is refused', () => {
    tf.tidy(() => {
      const op = (a: tf.Tensor, b: tf.Tensor) =>
        withGradient([a, b], () => ({ value: tf.add(a, b), gradient: (dy) => [dy] }));
      assert.throws(() => tf.grads(op)([tf.ones([2]), tf.ones([2])]), /same number of tensors/);
    });
  });
});
