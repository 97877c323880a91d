import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { reduceWeights, restoreWeights, toInt8 } from '../../src/formats/reduced-weights.js';
import type { StoredArray } from '../../src/formats/safetensors.js';

const random = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * i + 1) * 10 ** (i % 5));

const weights = new Map([
  ['a.weight', { shape: [40, 30], data: random(1200) }],
  ['a.bias', { shape: [40], data: random(40) }],
]);

test('int8: rows by their largest magnitude, ties to even; rows of zeros and of the smallest numbers are zeros', () => {
  const data = [127, -63.5, 62.5, 0.5, 1.5, -2.5, 0, 0, 0, 2 ** -101, 0, 0, -254, 3, 2, 254, 1e-9, 1];
  const { values, scales } = toInt8(Float32Array.from(data), 3);
  assert.deepEqual([...scales], [1, 1, 2]);
  assert.deepEqual([...values], [127, -64, 62, 0, 2, -2, 0, 0, 0, 0, 0, 0, -127, 2, 1, 127, 0, 0]);
});

for (const precision of ['bfloat16', 'int8'] as const) {
  test(`${precision}: matrices are rounded, vectors stay; what is restored is rounded to the same again`, () => {
    const reduced = reduceWeights(weights, precision);
    const restored = restoreWeights(reduced, 'file');
    assert.deepEqual([...restored.keys()], [...weights.keys()]);
    assert.deepEqual(restored.get('a.bias'), weights.get('a.bias'));
    assert.deepEqual(reduceWeights(restored, precision), reduced);
    const [found, given] = [restored.get('a.weight')!.data, weights.get('a.weight')!.data];
    for (let row = 0; row < 40; row++) {
      const most = Math.max(...given.subarray(30 * row, 30 * row + 30).map(Math.abs));
      for (let i = 30 * row; i < 30 * row + 30; i++) {
        const bound = precision === 'int8' ? (most / 254) * 1.001 : Math.abs(given[i]) * 2 ** -8;
        assert.ok(Math.abs(found[i] - given[i]) <= bound);
      }
    }
  });
}

test('int8: the largest of a row is 127, to 17 bits of the scale', () => {
  const { values, scales } = toInt8(random(3000), 100);
  const bits = new Uint32Array(scales.buffer);
  for (let row = 0; row < 100; row++) {
    assert.equal(Math.max(...values.subarray(30 * row, 30 * row + 30).map(Math.abs)), 127);
    assert.equal(bits[row] & 0x7f, 0);
  }
});

test('int8: scales that are missing or cannot be are told', () => {
  const refused = (alter: (stored: Map<string, StoredArray>) => void): string => {
    const stored = reduceWeights(weights, 'int8');
    alter(stored);
    try {
      restoreWeights(stored, 'file');
    } catch (error) {
      assert.ok(error instanceof UserError);
      assert.equal(error.complaints[0].where, 'file');
      return error.complaints[0].problem;
    }
    return 'nothing';
  };
  const scale = (value: number) =>
    refused((stored) => {
      (stored.get('a.weight_scale')!.data as Float32Array)[7] = value;
    });
  const wanted = "expected scales of the int8 matrix 'a.weight' in 'a.weight_scale'";
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1, 0])
    assert.equal(scale(value), `${wanted} to be finite and above 0, found ${value} (value 7)`);
  assert.equal(
    refused((stored) => stored.delete('a.weight_scale')),
    `${wanted}, found none`,
  );
  assert.equal(
    refused((stored) => stored.set('a.weight_scale', { shape: [39], data: random(39) })),
    `${wanted} of shape [40] in F32, found [39]`,
  );
  assert.equal(
    refused((stored) => {
      stored.get('a.weight')!.data[3] = -128;
    }),
    "expected numbers from −127 to 127 in 'a.weight', found −128",
  );
});
