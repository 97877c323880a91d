import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import type { WebGpuBackend } from '../../../src/backend/webgpu/backend.js';
import { runFused } from '../../../src/ops/kernels.js';
import { layTogether } from '../../../src/ops/lists.js';
import { tf } from '../../../src/ops/tf.js';
import { allClose } from '../../ops/all-close.js';
import { availableBackends } from '../../ops/backends.js';
import { matrix, vector } from '../../ops/samples.js';

const skip = !availableBackends.includes('webgpu') && 'there is no graphics card, not even in software';

/** Rows so many that the product over them is cut into parts. */
const ROWS = 2100;
const [OUT, WIDTH] = [20, 17];

const device = (): WebGpuBackend => tf.backend() as unknown as WebGpuBackend;
const dispatches = (): number => {
  device().encoder.flush();
  return device().encoder.counts.dispatches;
};
const valuesOf = (tensors: readonly tf.Tensor[]) => tensors.map((tensor) => tensor.dataSync());

/** Operands of the gradient of a weight, the numbers of each seed others, and the gradient. */
function sample(seed: number, withBias: boolean) {
  const dy = matrix(ROWS, OUT, seed);
  const x = matrix(ROWS, WIDTH, seed + 50);
  const weight = matrix(OUT, WIDTH, seed + 100);
  const bias = withBias ? vector(OUT, seed + 150) : null;
  const gradient = (): tf.Tensor[] =>
    runFused('WeightGradient', { dy, x, weight, bias }, { precision: 'float32' });
  return { dy, x, weight, bias, gradient };
}

describe('sums of parts that are put off', { skip }, () => {
  before(() => initBackend('webgpu'));

  test('several are made by one program once one is wanted, and have the bits of those made one by one', () => {
    const samples = [true, false, false, true].map((withBias, i) => sample(i, withBias));
    const alone = samples.map(({ gradient }) => {
      const found = gradient();
      const values = valuesOf(found);
      tf.dispose(found);
      return values;
    });
    for (const [i, { dy, x, bias }] of samples.entries()) {
      const expected = tf.tidy(() => [tf.matMul(dy, x, true), ...(bias === null ? [] : [tf.sum(dy, 0)])]);
      for (const [j, values] of alone[i].entries())
        allClose(values, expected[j].dataSync(), { absolute: 2e-4 });
      tf.dispose(expected);
    }
    const start = dispatches();
    const together = samples.map(({ gradient }) => gradient());
    assert.equal(dispatches() - start, 4 + 1, 'the fourth would be more buffers than a program may have');
    assert.deepEqual(valuesOf(together[1]), alone[1]);
    assert.equal(dispatches() - start, 4 + 1);
    assert.deepEqual(valuesOf([...together[3]].reverse()), [...alone[3]].reverse());
    assert.equal(dispatches() - start, 4 + 2, 'the bias was asked for, which has the weight made, too');
    assert.deepEqual(together.map(valuesOf), alone);
    tf.dispose([
      ...together.flat(),
      ...samples.flatMap(({ dy, x, weight, bias }) => [dy, x, weight, bias ?? []]),
    ]);
  });

  test('one that nobody has asked for leaves nothing behind', () => {
    const { dy, x, weight, gradient } = sample(1, false);
    tf.dispose(gradient());
    const { used } = device().pool;
    tf.dispose(gradient());
    assert.equal(device().pool.used, used);
    const [kept] = gradient();
    const values = kept.dataSync();
    for (let i = 0; i < 3; i++) tf.dispose(gradient());
    assert.deepEqual(kept.dataSync(), values);
    tf.dispose([dy, x, weight, kept]);
  });

  test('those of parts of a weight are there once they are taken as one', () => {
    const [dy, x] = [matrix(ROWS, 32, 1), matrix(ROWS, 18, 2)];
    const weight = tf.variable(matrix(2 * 32, 18, 3)); // of which a half starts where a part may
    layTogether([weight]);
    const halves = tf.split(weight, 2);
    const gradients = halves.flatMap((part) =>
      runFused('WeightGradient', { dy, x, weight: part }, { precision: 'float32' }),
    );
    const joined = tf.concat(gradients, 0);
    const expected = tf.tidy(() => tf.tile(tf.matMul(dy, x, true), [2, 1]));
    allClose(joined, expected, { absolute: 2e-4 });
    tf.dispose([dy, x, weight, joined, expected, ...halves, ...gradients]);
  });
});
