import assert from 'node:assert/strict';
import { tf } from '../../src/ops/tf.js';

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;

const counts = () => ({ tensors: tf.memory().numTensors, buffers: tf.backend().numDataIds() });

/**
 * Neither a call of an op nor its differentiation leaves a tensor behind beside the result, called outside of any
 * tidy; and no kernel leaks inside of the backend (tfjs's IS_TEST, which takes what a handwritten gradient saves
 * for a leak, so it is on for the plain call alone).
 *
 * @param inputs at least one that the op is differentiable in
 */
export function leavesNothing(op: Op, inputs: tf.Tensor[]): void {
  for (const input of inputs) input.dataSync(); // now they lie on this backend
  const start = counts();
  tf.env().set('IS_TEST', true);
  try {
    const value = op(...inputs);
    assert.equal(counts().tensors, start.tensors + (inputs.includes(value) ? 0 : 1), 'tensors after the op');
    if (!inputs.includes(value)) value.dispose();
  } finally {
    tf.env().set('IS_TEST', false);
  }
  assert.deepEqual(counts(), start, 'after the op');
  const { value, grads } = tf.valueAndGrads(op)(inputs);
  assert.equal(counts().tensors, start.tensors + 1 + grads.length, 'tensors after the gradient');
  tf.dispose([value, grads]);
  assert.deepEqual(counts(), start, 'after the gradient');
}
