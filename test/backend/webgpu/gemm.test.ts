import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import type { WebGpuBackend } from '../../../src/backend/webgpu/backend.js';
import { multiply } from '../../../src/backend/webgpu/gemm.js';
import { tf } from '../../../src/ops/tf.js';
import { allClose } from '../../ops/all-close.js';
import { availableBackends } from '../../ops/backends.js';
import { matrix } from '../../ops/samples.js';

const skip = !availableBackends.includes('webgpu') && 'there is no graphics card, not even in software';

/** Results of few tiles, of which the smaller are made, and of many; none of them whole. */
const SIZES = [
  [1, 1, 1],
  [17, 33, 5],
  [260, 259, 19],
  [1030, 50, 33],
] as const;

/** The product in doubles, of operands as they are stored. */
function expectedOf(a: tf.Tensor2D, b: tf.Tensor2D, ta: boolean, tb: boolean): Float64Array {
  const [x, y] = [a.dataSync(), b.dataSync()];
  const [m, k] = ta ? [a.shape[1], a.shape[0]] : a.shape;
  const n = tb ? b.shape[0] : b.shape[1];
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let d = 0; d < k; d++)
        out[i * n + j] += x[ta ? d * m + i : i * k + d] * y[tb ? j * k + d : d * n + j];
  return out;
}

describe('products on a graphics card', { skip }, () => {
  before(() => initBackend('webgpu'));

  for (const [m, n, k] of SIZES) {
    test(`${m} × ${n} over ${k}, either operand either way round; and added to what is there`, () => {
      const backend = tf.backend() as unknown as WebGpuBackend;
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const a = transposeA ? matrix(k, m, 1) : matrix(m, k, 1);
          const b = transposeB ? matrix(n, k, 2) : matrix(k, n, 2);
          const expected = expectedOf(a, b, transposeA, transposeB);
          const { info, buffer } = backend.output([m, n]);
          const product = {
            ...{
              a: { buffer: backend.floats(a), pitch: a.shape[1] },
              b: { buffer: backend.floats(b), pitch: b.shape[1] },
            },
            ...{ c: { buffer, pitch: n }, m, n, k, transposeA, transposeB },
          };
          multiply(backend, product);
          const once = backend.readSync(info.dataId) as Float32Array;
          allClose(once, expected, { absolute: 2e-5 });
          multiply(backend, { ...product, epilogue: 'add' });
          const twice = backend.readSync(info.dataId) as Float32Array;
          assert.deepEqual(
            twice,
            once.map((value) => 2 * value),
          );
          tf.dispose([a, b]);
          backend.disposeData(info.dataId);
        }
      }
    });
  }

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
