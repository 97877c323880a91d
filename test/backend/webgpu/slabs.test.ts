import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import type { WebGpuBackend } from '../../../src/backend/webgpu/backend.js';
import { addLists, layTogether } from '../../../src/ops/lists.js';
import { linear } from '../../../src/ops/matmul.js';
import { adamUpdate, globalNorm, zeroMoments } from '../../../src/ops/optimizer.js';
import { tf } from '../../../src/ops/tf.js';
import { allClose } from '../../ops/all-close.js';
import { availableBackends } from '../../ops/backends.js';
import { matrix, normal } from '../../ops/samples.js';

const skip = !availableBackends.includes('webgpu') && 'there is no graphics card, not even in software';

/** Some of a multiple of 64 floats, some not: what is between them must be nothing. */
const SHAPES = [[64, 3], [7], [1], [300, 2], [64]];
const OPTIONS = { lr: 0.1, betas: [0.9, 0.98], eps: 1e-8, weightDecay: 0.1 } as const;

const device = (): WebGpuBackend => tf.backend() as unknown as WebGpuBackend;
const variables = (seed: number): tf.Variable[] =>
  SHAPES.map((shape, i) => tf.tidy(() => tf.variable(normal(shape, seed + i))));
const valuesOf = (tensors: readonly tf.Tensor[]) => tensors.map((tensor) => tensor.dataSync());
const dispatched = (work: () => void): number => {
  device().encoder.flush();
  const { dispatches } = device().encoder.counts;
  work();
  device().encoder.flush();
  return device().encoder.counts.dispatches - dispatches;
};

/** y = x·Wᵀ + b by the whole of the weights, and by two parts of them. */
const whole = (x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D) => linear(x, weight, bias);
const halves: typeof whole = (x, weight, bias) => {
  const [weights, biases] = [tf.split(weight, 2), tf.split(bias, 2)];
  const parts = weights.map((part, i) => linear(x, part as tf.Tensor2D, biases[i] as tf.Tensor1D));
  return tf.concat(parts, 1) as tf.Tensor2D;
};

/** The values of the gradients of weight and bias, and the tensors. */
function gradients(
  make: typeof whole,
  x: tf.Tensor2D,
  [weight, bias]: readonly tf.Variable[],
): { list: tf.Tensor[]; values: ReturnType<typeof valuesOf> } {
  const { value, grads } = tf.variableGrads(
    () => tf.sum(tf.square(make(x, weight as unknown as tf.Tensor2D, bias as unknown as tf.Tensor1D))),
    [weight, bias],
  );
  value.dispose();
  const list = [grads[weight.name], grads[bias.name]];
  return { list, values: valuesOf(list) };
}

describe('lists of tensors on a graphics card', { skip }, () => {
  before(() => initBackend('webgpu'));

  test('laid together they keep their values, also where some have been put elsewhere since', () => {
    const [used, list] = [device().pool.used, variables(1)];
    const before = valuesOf(list);
    layTogether(list);
    assert.deepEqual(valuesOf(list), before);
    assert.equal(
      dispatched(() => layTogether(list)),
      0,
    );
    const runsOf = (...places: number[]) => device().lists.runs([places.map((i) => list[i])]);
    assert.deepEqual(
      [runsOf(0, 1, 2), runsOf(0, 2), runsOf(1, 0)].map(({ length }) => length),
      [1, 2, 2],
    );
    const [next] = variables(20);
    list[0].assign(next);
    layTogether(list);
    assert.deepEqual(valuesOf(list), [next.dataSync(), ...before.slice(1)]);
    tf.dispose([list, next]);
    assert.equal(device().pool.used, used);
  });

  test('a list larger than a buffer lies in several, and stays there', () => {
    const limits = device().device.facts.limits as { buffer: number };
    const { buffer } = limits;
    const list = variables(1);
    const before = valuesOf(list);
    try {
      limits.buffer = 2048;
      layTogether(list);
      const { buffers } = device().encoder.counts;
      assert.equal(device().lists.runs([list]).length, 3); // the fourth alone is larger
      device().lists.layTogether([...list]);
      assert.equal(device().encoder.counts.buffers, buffers, 'they are laid together once');
      assert.deepEqual(valuesOf(list), before);
    } finally {
      limits.buffer = buffer;
      tf.dispose(list);
    }
  });

  test('one program updates them all, and another one has their norm, as where they lie apart', () => {
    const results = [false, true].map((together) => {
      const [list, terms] = [variables(1), variables(30)];
      const moments = zeroMoments(list);
      if (together) for (const tensors of [list, terms, moments.first, moments.second]) layTogether(tensors);
      const scale = tf.scalar(0.5);
      const count = dispatched(() => adamUpdate(list, terms, moments, 0.1, OPTIONS, scale));
      assert.equal(count, together ? 1 : SHAPES.length);
      const norm = globalNorm(terms);
      const values = valuesOf([...list, ...moments.first, ...moments.second]);
      const [length] = norm.dataSync();
      const sums = addLists(
        terms.map((term) => tf.mul(term, 2)),
        terms.map((term) => tf.mul(term, 3)),
      );
      allClose(
        tf.concat(sums.map((sum) => tf.reshape(sum, [-1]))),
        tf.concat(terms.map((term) => tf.reshape(tf.mul(term, 5), [-1]))),
      );
      tf.dispose([list, terms, moments.first, moments.second, scale, norm, sums]);
      return { values, length };
    });
    assert.deepEqual(results[1].values, results[0].values);
    allClose([results[1].length], [results[0].length]);
  });

  test('gradients lie together like what they are of, of several batches at a time, and in parts', () => {
    const list = tf.tidy(() => [tf.variable(matrix(128, 8, 1)), tf.variable(normal([128], 2))]);
    const x = matrix(5, 8, 3);
    const apart = gradients(whole, x, list);
    layTogether(list);
    const used = device().pool.used;
    const batches = [whole, halves, whole].map((make) => gradients(make, x, list));
    for (const { values } of batches)
      for (const [i, value] of values.entries()) allClose(value, apart.values[i]);
    for (const { list: found } of batches.slice(0, 2))
      assert.equal(
        dispatched(() => tf.dispose(globalNorm(found))),
        2,
        'the squares of one run, and the root',
      );
    assert.equal(device().lists.runs([batches[2].list]).length, 2, 'the third has no place');
    assert.deepEqual(valuesOf(batches[0].list), batches[0].values, 'the others have not written over it');
    tf.dispose([apart.list, ...batches.map(({ list: found }) => found)]);
    const again = gradients(halves, x, list);
    assert.equal(device().lists.runs([again.list]).length, 1);
    tf.dispose([again.list]);
    tf.dispose(list);
    assert.ok(device().pool.used < used, 'the memory of gradients goes with what they are of');
  });
});
