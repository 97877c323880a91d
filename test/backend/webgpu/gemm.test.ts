import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import type { WebGpuBackend } from '../../../src/backend/webgpu/backend.js';
import { tf } from '../../../src/ops/tf.js';
import { allClose } from '../../ops/all-close.js';
import { availableBackends } from '../../ops/backends.js';
import { matrix } from '../../ops/samples.js';
import { expectedOf, productOf, SIZES } from './products.js';

const skip = !availableBackends.includes('webgpu') && 'there is no graphics card, not even in software';

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

  test('a deep product of few tiles is summed in parts, with the sums of rows, to the same bits each time', () => {
    const [m, n, k] = [70, 65, 2100];
    const backend = tf.backend() as unknown as WebGpuBackend;
    const run = (choices: Parameters<typeof productOf>[3]) => {
      const { dispatches } = backend.encoder.counts;
      const { info, buffer } = backend.output([m]);
      const [found] = productOf(m, n, k, { transposeA: true, rowSums: buffer, ...choices });
      const sums = backend.readSync(info.dataId) as Float32Array;
      backend.disposeData(info.dataId);
      return { found, sums, dispatches: backend.encoder.counts.dispatches - dispatches };
    };
    const once = run({});
    assert.equal(once.dispatches, 2);
    allClose(once.found, expectedOf(m, n, k, true, false), { absolute: 2e-4 });
    const ofRows = tf.tidy(() => tf.sum(matrix(k, m, 1), 0).dataSync());
    allClose(once.sums, ofRows, { absolute: 2e-4 });
    assert.deepEqual(run({}), once);
    const inOne = run({ epilogue: 'add' });
    assert.equal(inOne.dispatches, 1);
    const start = { start: 5, pitch: n + 3 };
    const wide = backend.output([m * (n + 3) + 5]);
    productOf(m, n, k, { transposeA: true, c: { buffer: wide.buffer, ...start } });
    const values = backend.readSync(wide.info.dataId) as Float32Array;
    backend.disposeData(wide.info.dataId);
    const rows = Array.from({ length: m }, (_, i) => values.subarray(5 + i * (n + 3), 5 + i * (n + 3) + n));
    assert.deepEqual(
      rows.flatMap((row) => [...row]),
      [...once.found],
    );
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
