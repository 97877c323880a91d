import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Addon } from '../../../src/backend/native/binding.js';
import type { Int8Matrix } from '../../../src/ops/int8.js';
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

/** A row of activations by the definition. */
function quantized(row: Float32Array): { values: number[]; scale: number } {
  const most = row.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  if (!Number.isFinite(most)) return { values: [...row].fill(0), scale: Number.NaN };
  if (most < 2 ** -100) return { values: [...row].fill(0), scale: 0 };
  const inverse = fround(127 / most);
  return { values: Array.from(row, (value) => nearest(fround(value * inverse))), scale: fround(most / 127) };
}

/** y = x · Wᵀ + bias in whole numbers. */
function reference(x: Float32Array, weight: Int8Matrix, bias: Float32Array | null): Float32Array {
  const { values, scales, shape } = weight;
  const [out, width] = shape;
  const rows = x.length / width;
  const y = new Float32Array(rows * out);
  for (let i = 0; i < rows; i++) {
    const row = quantized(x.subarray(i * width, (i + 1) * width));
    for (let j = 0; j < out; j++) {
      let sum = 0;
      for (let p = 0; p < width; p++) sum += row.values[p] * values[j * width + p];
      const product = fround(fround(sum) * fround(row.scale * scales[j]));
      y[i * out + j] = bias === null ? product : product + bias[j];
    }
  }
  return y;
}

/** Random whole numbers from −127 to 127. */
const bytes = (length: number, seed: number): Int8Array =>
  Int8Array.from(normals(length, seed), (value) => Math.max(-127, Math.min(127, 60 * value)));

function product(x: Float32Array, weight: Int8Matrix, bias: Float32Array | null): Float32Array {
  return tf.tidy(() => {
    const width = weight.shape[1];
    const prepared = new PreparedLinear(weight, bias === null ? null : tf.tensor1d(bias));
    const y = prepared.apply(tf.tensor2d(x, [x.length / width, width])).dataSync<'float32'>();
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
      const weight = { shape: [out, width] as const, values: bytes(out * width, 1), scales: normals(out, 2) };
      for (const bias of [null, normals(out, 3)]) {
        const x = normals(rows * width, 4);
        assert.deepEqual(product(x, weight, bias), reference(x, weight, bias), `${[rows, width, out]}`);
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
        const x = new Float32Array(3 * width).fill(a);
        const weight = {
          shape: [2, width] as const,
          values: new Int8Array(2 * width).fill(b),
          scales: Float32Array.of(1, 1),
        };
        assert.deepEqual(
          product(x, weight, null),
          new Float32Array(6).fill(a * b * width),
          `${[width, a, b]}`,
        );
      }
    }
    // Neighbours of opposite signs, whose partial sums of pairs and fours are the extremes.
    const width = 512;
    const x = Float32Array.from({ length: width }, (_, i) => (i % 4 < 2 ? 127 : -127));
    const values = Int8Array.from(x, (value) => -value);
    const weight = { shape: [1, width] as const, values, scales: Float32Array.of(1) };
    assert.deepEqual(product(x, weight, null), Float32Array.of(-127 * 127 * width));
  });

  test('int8: a row that is too long for exact sums is refused', () => {
    const weight = { shape: [1, 65537] as const, values: new Int8Array(65537), scales: Float32Array.of(1) };
    assert.throws(() => new PreparedLinear(weight, null), /too long/);
  });

  test('int8: rows of zeros, of tiny numbers and of the largest; NaN and infinity make their row NaN alone', () => {
    const width = 37;
    const weight = { shape: [33, width] as const, values: bytes(33 * width, 1), scales: normals(33, 2) };
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
    const bias = normals(33, 6);
    assert.deepEqual(product(x, weight, bias), reference(x, weight, bias));
  });

  test('int8: activations follow the bias', () => {
    const weight = { shape: [5, 6] as const, values: bytes(30, 1), scales: normals(5, 2) };
    const [x, bias] = [normals(18, 3), normals(5, 4)];
    const sum = reference(x, weight, bias);
    tf.tidy(() => {
      const prepared = new PreparedLinear(weight, tf.tensor1d(bias));
      const y = prepared.apply(tf.tensor2d(x, [3, 6]), 'relu').dataSync();
      assert.deepEqual(
        y,
        sum.map((value) => Math.max(0, value)),
      );
      prepared.dispose();
    });
  });

  test('int8: the addon refuses weights of other sizes', () => {
    const { addon } = tf.backend() as unknown as { addon: Addon };
    const packed: Float32Array = new Float32Array(addon.packedWeightSize(3, 2, 2));
    const one = new Float32Array(1);
    const pack =
      (values: number, scales: number, memory: Float32Array = packed) =>
      () =>
        addon.packInt8(new Int8Array(values), new Float32Array(scales), memory, 3, 2);
    pack(6, 2)();
    assert.throws(pack(5, 2), /packInt8: expected 6 elements in weight, found 5/);
    assert.throws(pack(6, 3), /expected 2 elements in scales, found 3/);
    assert.throws(pack(6, 2, packed.subarray(1)), /in packed/);
    assert.throws(
      () => addon.packInt8(new Float32Array(6) as unknown as Int8Array, new Float32Array(2), packed, 3, 2),
      /Int8Array/,
    );
    assert.throws(() => addon.linear(one, one, null, one, 1, 1, 1, 2), /there is no such precision/);
  });
});

test('int8: the same bits on every instruction set, with 1, 2 and 4 threads', (t) =>
  bitsOnEachSet('int8', t));
