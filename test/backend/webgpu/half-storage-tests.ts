import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { initBackend } from '../../../src/backend/init.js';
import { classOf } from '../../../src/backend/webgpu/pool.js';
import { rowSums } from '../../../src/backend/webgpu/reduce.js';
import { UserError } from '../../../src/common/errors.js';
import type { ModelConfig } from '../../../src/config/schema.js';
import { Transformer } from '../../../src/model/transformer.js';
import { attention } from '../../../src/ops/attention.js';
import { smoothedCrossEntropy } from '../../../src/ops/cross-entropy.js';
import { dropout } from '../../../src/ops/dropout.js';
import { placedEmbedding } from '../../../src/ops/embedding.js';
import { linear } from '../../../src/ops/matmul.js';
import { globalNorm } from '../../../src/ops/optimizer.js';
import { residual } from '../../../src/ops/residual.js';
import { tf } from '../../../src/ops/tf.js';
import { batchOf, differentiate, relativeError, tinyConfig } from '../../model/models.js';
import { allClose } from '../../ops/all-close.js';
import { matrix } from '../../ops/samples.js';
import { device, inHalf, near, toHalf } from './half-values.js';

/* Run by half.test.ts, in a process whose card has half precision. */

const KEY = { seed: 5, step: 3, site: 1 };
const rounded = (rows: number, columns: number, seed: number): tf.Tensor2D =>
  tf.tensor2d(matrix(rows, columns, seed).dataSync().map(toHalf), [rows, columns]);
const asVector = (x: tf.Tensor): tf.Tensor1D => tf.reshape(x, [x.size]);

interface Case {
  what: string;
  /** Shapes of what is stored in half precision. */
  halves: readonly (readonly [number, number])[];
  /** Of weights, which are not. */
  weights?: readonly (readonly [number, number])[];
  call: (...inputs: tf.Tensor2D[]) => tf.Tensor2D;
}

/** Odd lengths, so that the halves of a word belong to different rows, and rows to more than one group. */
const CASES: readonly Case[] = [
  {
    what: 'a residual sum with ω, dropout and its norm',
    halves: [
      [521, 67],
      [521, 67],
    ],
    weights: [
      [1, 67],
      [1, 67],
      [1, 67],
    ],
    call: (x, f, omega, gain, bias) => {
      const norm = { gain: asVector(gain), bias: asVector(bias) };
      const options = { dropout: 0.3, key: KEY, alpha: 1, gate: null };
      return residual(x, f, { ...options, omega: asVector(omega), norm });
    },
  },
  {
    what: 'a residual sum by itself',
    halves: [
      [9, 7],
      [9, 7],
    ],
    call: (x, f) => residual(x, f, { dropout: 0.1, key: KEY, alpha: 1, omega: null, gate: null, norm: null }),
  },
  {
    what: 'attention to columns of one tensor',
    halves: [[16, 45]],
    call: (x) => {
      const offsets = Int32Array.of(0, 1, 8, 16);
      const [q, k, v] = [0, 15, 30].map((column) => ({ tensor: x, column }));
      return attention(q, k, v, offsets, offsets, { heads: 3, causal: true, dropout: 0.2, key: KEY }, 15);
    },
  },
  { what: 'dropout', halves: [[5, 5]], call: (x) => dropout(x, 0.4, KEY) },
  {
    what: 'a sum',
    halves: [
      [3, 7],
      [3, 7],
    ],
    call: (x, y) => tf.add(x, y),
  },
];

describe('tensors in two bytes a number', () => {
  before(() => initBackend('webgpu'));

  for (const { what, halves, weights = [], call } of CASES)
    test(`${what}: computed in float32 and rounded once, as are its gradients`, () => {
      const given = [...halves, ...weights].map(([rows, columns], i) => rounded(rows, columns, i + 1));
      const stored = given.map((x, i) => (i < halves.length ? inHalf(x) : x));
      const exact = call(...given);
      const found = call(...stored);
      assert.ok(device().isHalf(found));
      assert.deepEqual(
        found.dataSync().map((x) => x + 0), // of −0 and 0 one
        exact.dataSync().map(toHalf),
      );
      const dy = rounded(exact.shape[0], exact.shape[1], 9);
      const gradients = tf.grads(call as (...x: tf.Tensor[]) => tf.Tensor);
      const expected = gradients(given, tf.clone(dy));
      const [once, twice] = [0, 1].map(() => gradients(stored, inHalf(dy)));
      once.forEach((gradient, i) => {
        assert.equal(device().isHalf(gradient), i < halves.length, `gradient ${i}`);
        near(gradient, expected[i], 2e-3);
        assert.deepEqual(twice[i].dataSync(), gradient.dataSync());
      });
    });

  test('products read and write them, and their gradients', () => {
    const [rows, width, out] = [133, 65, 67];
    const [x, weight, dy] = [rounded(rows, width, 1), rounded(out, width, 2), rounded(rows, out, 3)];
    const call = (...[a, w]: tf.Tensor[]) =>
      linear(a as tf.Tensor2D, w as tf.Tensor2D, null, device().isHalf(a) ? 'float16' : 'float32');
    const [y, exact] = [call(inHalf(x), weight), call(x, weight)];
    assert.ok(device().isHalf(y));
    allClose(y, exact.dataSync().map(toHalf), { absolute: 2e-2, relative: 0 });
    near(y, exact, 6e-4);
    const [dx, dWeight] = tf.grads(call)([inHalf(x), weight], inHalf(dy));
    const expected = tf.grads(call)([x, weight], dy);
    assert.deepEqual([device().isHalf(dx), device().isHalf(dWeight)], [true, false]);
    near(dx, expected[0], 6e-4);
    near(dWeight, expected[1], 1e-6);
  });

  test('they take two bytes a number, also where it is odd', () => {
    const { pool } = device();
    const [x, weight] = [matrix(333, 7, 1), matrix(33, 7, 2)];
    linear(x, weight, null, 'float16').dispose(); // all that is given is on the card
    const before = pool.used;
    const y = linear(x, weight, null, 'float16');
    assert.equal(pool.used - before, classOf(2 * 333 * 33));
    assert.equal(y.dataSync().length, 333 * 33);
    assert.equal(pool.used - before, classOf(2 * 333 * 33), 'what is read stays as it is');
    y.dispose();
    assert.equal(pool.used, before);
  });

  test('what takes four bytes gets four, of the same values', async () => {
    const x = rounded(9, 5, 1);
    const values = await x.data();
    const half = inHalf(x);
    assert.deepEqual(await half.data(), values);
    for (const call of [
      (a: tf.Tensor2D) => tf.square(a),
      (a: tf.Tensor2D) => tf.mul(a, 3),
      (a: tf.Tensor2D) => tf.mul(a, tf.add(matrix(9, 5, 2), 0)),
      (a: tf.Tensor2D) => tf.slice(a, [1, 1], [3, 3]),
      (a: tf.Tensor2D) => tf.concat([a, matrix(2, 5, 3), inHalf(x)]),
      (a: tf.Tensor2D) => tf.erf(a), // by the processor
    ])
      assert.deepEqual(call(inHalf(x)).dataSync(), call(x).dataSync());
    const buffer = device().numbers(half);
    const sums = device().allocate(9);
    assert.throws(() => rowSums(device(), buffer, sums, 9, 5), /four bytes a number for 'x', found float16/);
    assert.throws(() => device().encoder.copy(buffer, sums, 36), /four bytes a number, found float16/);
    device().pool.give(sums);
    assert.ok(device().isHalf(half));
    device().floats(half);
    assert.ok(!device().isHalf(half), 'from then on it has four');
    assert.deepEqual(half.dataSync(), values);
  });

  test('what is out of range is infinite, and makes the norm of gradients so', () => {
    const y = linear(tf.tensor2d([[300], [-300], [255]]), tf.tensor2d([[256]]), null, 'float16');
    assert.deepEqual([...y.dataSync()], [Infinity, -Infinity, 65280]);
    const sum = tf.add(y, y);
    assert.ok(device().isHalf(sum));
    assert.deepEqual([...sum.dataSync()], [Infinity, -Infinity, Infinity]);
    const x = tf.tensor2d([[60000, 1]]);
    const [dWeight] = tf.grads((w) => linear(x, w as tf.Tensor2D, null, 'float16'))(
      [tf.ones([3, 2])],
      inHalf(tf.tensor2d([[1, 70000, 1]])),
    );
    assert.equal(globalNorm([dWeight]).dataSync()[0], Infinity);
  });

  test('an embedding and a loss, also where the table is taken in parts', () => {
    const tokens = Int32Array.of(0, 299, 127, 128, 5, 255, 256, 5, 0);
    const table = matrix(300, 64, 1);
    const outcomes = (precision: 'float32' | 'float16') =>
      tf.valueAndGrad((t) => {
        const given = { scale: 2, positions: null, places: new Int32Array(0), dropout: 0, key: null };
        const hidden = placedEmbedding(tokens, t as tf.Tensor2D, { ...given, precision });
        assert.equal(device().isHalf(hidden), precision === 'float16');
        return smoothedCrossEntropy(hidden, t as tf.Tensor2D, tokens, 0.1, precision).loss;
      })(table);
    const exact = outcomes('float32');
    const limits = device().device.facts.limits as { binding: number };
    const { binding } = limits;
    try {
      for (const most of [binding, 2 ** 15]) {
        limits.binding = most;
        const { value, grad } = outcomes('float16');
        near(value, exact.value, 1e-3);
        near(grad, exact.grad, 2e-3);
      }
      assert.throws(() => device().activation([300, 64], true), UserError);
    } finally {
      limits.binding = binding;
    }
  });
});

describe('a model whose activations are in two bytes a number', () => {
  const SHAPES: Partial<ModelConfig> = {
    ...{ embedDim: 36, ffnEmbedDim: 70, attentionHeads: 3, maxPositions: 128 },
    ...{ encoder: { layers: 1 }, decoder: { layers: 1 } },
    ...{ dropout: 0.1, attentionDropout: 0.2, activationDropout: 0.3 },
  };
  const side = (length: number, step: number): Int32Array =>
    Int32Array.from({ length }, (_, i) => 4 + ((i * step) % 200));
  const batch = batchOf([
    { source: side(19, 7), target: side(33, 11) },
    { source: side(1, 3), target: side(5, 13) },
  ]);
  // Each compiles its programs anew, which takes a driver in software most of the time: others by ADMIN_NMT_SCHEMES=pre-ln,….
  const SCHEMES = (process.env.ADMIN_NMT_SCHEMES?.split(',') as ModelConfig['residual'][]) ?? ['admin'];

  for (const scheme of SCHEMES)
    test(`${scheme}: loss and gradients are near those of the composites in float32`, async (t) => {
      const config = tinyConfig({ ...SHAPES, residual: scheme, activationFn: 'gelu' });
      const results = [];
      for (const backend of ['cpu', 'webgpu'] as const) {
        await initBackend(backend);
        const model = Transformer.create(config, { source: 211, target: 211 }, 1);
        if (backend === 'webgpu') model.precision = 'float16';
        results.push(differentiate(model, batch, 0.1, { seed: 7, step: 7 }));
        model.dispose();
      }
      const [expected, found] = results;
      const ofLoss = Math.abs(found.loss - expected.loss) / expected.loss;
      let worst = 0;
      for (const [name, gradient] of expected.gradients) {
        // The scores of a query do not see a bias of its keys: a third of this gradient is rounding alone.
        if (!name.endsWith('in_proj_bias'))
          worst = Math.max(worst, relativeError(found.gradients.get(name)!, gradient));
      }
      t.diagnostic(`error of the loss ${ofLoss.toExponential(1)}, of a gradient ${worst.toExponential(1)}`);
      assert.ok(ofLoss < 1e-3 && worst < 1e-2, `${ofLoss}, ${worst}`);
    });
});
