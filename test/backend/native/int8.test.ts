import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Addon } from '../../../src/backend/native/binding.js';
import { toInt8 } from '../../../src/formats/reduced-weights.js';
import { PreparedLinear } from '../../../src/ops/prepared-linear.js';
import { tf } from '../../../src/ops/tf.js';
import { onEachBackend } from '../../ops/backends.js';
import { normals } from '../../ops/samples.js';
import { bitsOnEachSet } from './bits-on-each-set.js';

const { fround } = Math;

/** To nearest, ties to even, by the definition. */
function nearest(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** To 17 bits, of a float; ties away from zero. */
function shortened(scale: number): number {
  const unit = 2 ** (Math.floor(Math.log2(scale)) - 16);
  return Math.floor(scale / unit + 0.5) * unit;
}

/** A row by the definition. */
function quantized(row: ArrayLike<number>): { values: number[]; scale: number } {
  const numbers = Array.from(row);
  const most = numbers.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const zeros = numbers.map(() => 0);
  if (!Number.isFinite(most)) return { values: zeros, scale: Number.NaN };
  if (most < 2 ** -100) return { values: zeros, scale: 0 };
  const scale = shortened(fround(most / 127));
  const inverse = fround(1 / scale);
  return { values: numbers.map((value) => nearest(fround(value * inverse))), scale };
}

/** Width of a row and rows of a weight. */
type Sizes = readonly [width: number, out: number];

/** y = x · Wᵀ + bias in whole numbers. */
function reference(x: Float32Array, weight: Float32Array, [width]: Sizes, bias: Float32Array | null) {
  const rowsOf = (values: Float32Array) =>
    Array.from({ length: values.length / width }, (_, i) =>
      quantized(values.subarray(i * width, (i + 1) * width)),
    );
  const columns = rowsOf(weight);
  return Float32Array.from(
    rowsOf(x).flatMap((row) =>
      columns.map((column, j) => {
        let sum = 0;
        for (let p = 0; p < width; p++) sum += row.values[p] * column.values[p];
        const product = fround(fround(sum) * fround(row.scale * column.scale));
        return bias === null ? product : product + bias[j];
      }),
    ),
  );
}

function product(
  x: Float32Array,
  weight: Float32Array,
  [width, out]: Sizes,
  bias: Float32Array | null,
  relu = false,
) {
  return tf.tidy(() => {
    const prepared = PreparedLinear.of(
      tf.tensor2d(weight, [out, width]),
      bias === null ? null : tf.tensor1d(bias),
      'int8',
    );
    const input = tf.tensor2d(x, [x.length / width, width]);
    const y = prepared.apply(input, relu ? 'relu' : null).dataSync<'float32'>();
    prepared.dispose();
    return y;
  });
}

onEachBackend((backend) => {
  if (backend !== 'native') return;

  test('int8: a product is exact in whole numbers at sizes on both sides of every block', () => {
    for (const [rows, width, out] of [
      ...[
        [1, 1, 1],
        [2, 3, 5],
        [13, 4, 31],
        [14, 5, 32],
        [15, 6, 33],
        [31, 33, 7],
        [32, 31, 13],
      ],
      ...[
        [33, 32, 15],
        [3, 511, 65],
        [1, 512, 33],
        [5, 513, 64],
        [7, 2047, 9],
        [2, 2048, 33],
        [15, 2049, 34],
      ],
      ...[
        [257, 7, 3],
        [113, 66, 129],
        [1, 4099, 1],
      ],
    ]) {
      const [x, weight] = [normals(rows * width, 1), normals(out * width, 2)];
      for (const bias of [null, normals(out, 3)]) {
        const expected = reference(x, weight, [width, out], bias);
        assert.deepEqual(product(x, weight, [width, out], bias), expected, `${[rows, width, out]}`);
      }
    }
  });

  test('int8: sums of the largest numbers neither saturate nor overflow', () => {
    for (const width of [1, 2, 3, 4, 8, 255, 2048, 2052, 65536]) {
      for (const [a, b] of [
        [127, 127],
        [127, -127],
        [-127, 127],
        [-127, -127],
      ]) {
        const [x, weight] = [new Float32Array(3 * width).fill(a), new Float32Array(2 * width).fill(b)];
        const expected = new Float32Array(6).fill(a * b * width);
        assert.deepEqual(product(x, weight, [width, 2], null), expected, `${[width, a, b]}`);
      }
    }
    // Neighbours of opposite signs: the sums of pairs and of fours are the extremes.
    const width = 512;
    const x = Float32Array.from({ length: width }, (_, i) => (i % 4 < 2 ? 127 : -127));
    const opposite = x.map((value) => -value);
    assert.deepEqual(product(x, opposite, [width, 1], null), Float32Array.of(-127 * 127 * width));
  });

  test('int8: a row that is too long for exact sums is refused', () => {
    const weight = tf.zeros<tf.Rank.R2>([1, 65537]);
    assert.throws(() => PreparedLinear.of(weight, null, 'int8'), /too long/);
    weight.dispose();
  });

  test('int8: rows of zeros, of tiny numbers and of the largest; NaN and infinity make their row NaN alone', () => {
    const width = 37;
    const rows: Float32Array[] = [0, -0, 2 ** -149, 2 ** -101, 2 ** -100, 2 ** -90, 3.4e38, 1].map((size) => {
      const row = normals(width, 3).map((value) => Math.max(-1, Math.min(1, value)) * size);
      row[5] = size;
      return row;
    });
    for (const strange of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const place of [0, width - 1]) {
        const row: Float32Array = normals(width, 4);
        row[place] = strange;
        rows.push(row, normals(width, 5));
      }
    }
    const x = Float32Array.from(rows.flatMap((row) => [...row]));
    const [weight, bias] = [normals(33 * width, 1), normals(33, 6)];
    weight.fill(0, 4 * width, 5 * width);
    const expected = reference(x, weight, [width, 33], bias);
    assert.deepEqual(product(x, weight, [width, 33], bias), expected);
  });

  test('int8: activations follow the bias', () => {
    const [x, weight, bias] = [normals(18, 3), normals(30, 1), normals(5, 4)];
    const expected = reference(x, weight, [6, 5], bias).map((value) => Math.max(0, value));
    assert.deepEqual(product(x, weight, [6, 5], bias, true), expected);
  });

  test('int8: a weight that a file rounded has the products of the weight itself', () => {
    const [x, weight] = [normals(3 * 70, 1), normals(40 * 70, 2)];
    const { values, scales } = toInt8(weight, 40);
    const restored = Float32Array.from(values, (value, i) => value * scales[Math.floor(i / 70)]);
    assert.deepEqual(product(x, restored, [70, 40], null), product(x, weight, [70, 40], null));
  });

  test('int8: products of training are refused', () => {
    const { addon } = tf.backend() as unknown as { addon: Addon };
    const one = new Float32Array(1);
    assert.throws(() => addon.linear(one, one, null, one, 1, 1, 1, 2), /there is no such precision/);
  });
});

test('int8: the same bits on every instruction set, with 1, 2 and 4 threads', (t) =>
  bitsOnEachSet('int8', t));
