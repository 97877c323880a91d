import assert from 'node:assert/strict';
import { tf } from '../../src/ops/tf.js';
import { allClose, type Tolerance } from './all-close.js';
import { leavesNothing } from './leak-check.js';
import { normal } from './samples.js';

export type Op = (...inputs: tf.Tensor[]) => tf.Tensor;

/**
 * Checks an op three ways: its value and every input's gradient against those of its reference, which tfjs's
 * autodiff differentiates; its gradients against central differences; and that it leaves no tensor behind.
 *
 * @param inputs float tensors that the op is differentiable in; disposed of
 */
export function checkOp(op: Op, reference: Op, inputs: tf.Tensor[]): void {
  compareWithReference(op, reference, inputs);
  checkDifferences(op, inputs);
  leavesNothing(op, inputs);
  tf.dispose(inputs);
}

/** The value and every gradient, from a random gradient of the value, equal those of the reference. */
export function compareWithReference(op: Op, reference: Op, inputs: tf.Tensor[]): void {
  tf.tidy(() => {
    const dy = normal(op(...inputs).shape as number[], 91); // an op's gradient uses up the dy it is given
    const actual = tf.valueAndGrads(op)(inputs, dy.clone());
    const expected = tf.valueAndGrads(reference)(inputs, dy.clone());
    allClose(actual.value, expected.value, toleranceFor(expected.value), 'value');
    expected.grads.forEach((gradient, i) => {
      allClose(actual.grads[i], gradient, toleranceFor(gradient), `gradient of input ${i}`);
    });
  });
}

/** Sums of float32 in another order differ by an error of the size of the largest element. */
function toleranceFor(expected: tf.Tensor): Tolerance {
  const sizes = Array.from(expected.dataSync(), Math.abs).filter(Number.isFinite);
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  return { absolute: 1e-6 + 5e-6 * largest, relative: 1e-5 };
}

/** Half a step of the central differences, as a multiple of a standard normal direction. */
const STEP = 2 ** -8;
/** Random directions for each input: one alone may lie across the gradient and hide an error. */
const DIRECTIONS = 3;

/**
 * For each input, the change of a random projection of the value between two points on a random line through the
 * input is what the gradient says. The differences are taken of the float32 inputs as they are after rounding.
 */
export function checkDifferences(op: Op, inputs: tf.Tensor[]): void {
  tf.tidy(() => {
    const dy = normal(op(...inputs).shape as number[], 92);
    const weights = dy.dataSync();
    const project = (values: tf.Tensor[]) => dot(op(...values).dataSync(), weights);
    tf.grads(op)(inputs, dy.clone()).forEach((gradient, i) => {
      for (let direction = 0; direction < DIRECTIONS; direction++) {
        const step = tf.mul(normal(inputs[i].shape as number[], 1000 * (i + 1) + direction), STEP);
        const [ahead, behind] = [tf.add(inputs[i], step), tf.sub(inputs[i], step)];
        const found = project(inputs.with(i, ahead)) - project(inputs.with(i, behind));
        compareChange(found, gradient.dataSync(), difference(ahead.dataSync(), behind.dataSync()), i);
      }
    });
  });
}

/** The bound is relative to the change that a direction along the gradient would give, plus float32's rounding. */
function compareChange(found: number, gradient: ArrayLike<number>, moved: number[], input: number): void {
  const expected = dot(gradient, moved);
  const largest = Math.sqrt((dot(gradient, gradient) * dot(moved, moved)) / Math.max(1, moved.length));
  const bound = 2e-3 * largest + 5e-6;
  assert.ok(
    Math.abs(found - expected) <= bound,
    `gradient of input ${input}: says ${expected}, the difference is ${found}, allowed are ${bound}`,
  );
}

const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number[] =>
  Array.from(a, (x, i) => x - b[i]);

/** In doubles. */
function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
