import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromInt8, rowsOfInt8, toInt8 } from '../../src/ops/int8.js';
import { normals } from './samples.js';

const { fround } = Math;

test('toInt8: rows by their largest magnitude, ties to even; what is rounded already stays', () => {
  const data = Float32Array.of(
    127,
    -63.5,
    62.5,
    0.5,
    1.5,
    -2.5,
    0,
    0,
    0,
    2 ** -101,
    0,
    0,
    1,
    3,
    -2,
    0,
    1e-9,
    -1e-9,
  );
  const { values, scales } = toInt8(data, [3, 6]);
  assert.deepEqual([...scales], [1, 0, fround(3 / 127)]);
  assert.deepEqual([...values.subarray(0, 6)], [127, -64, 62, 0, 2, -2]);
  assert.deepEqual([...values.subarray(6, 12)], [0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...values.subarray(12)], [42, 127, -85, 0, 0, 0]);
  const random = normals(64 * 50, 1);
  const once = toInt8(random, [50, 64]);
  const again = toInt8(fromInt8(once), [50, 64]);
  assert.deepEqual(again.values, once.values);
  for (let row = 0; row < 50; row++) {
    const [from, to] = [random, once.values].map((each) => [...each.subarray(64 * row, 64 * (row + 1))]);
    const most = Math.max(...from.map(Math.abs));
    assert.equal(once.scales[row], fround(most / 127));
    for (const [i, value] of from.entries()) assert.ok(Math.abs(to[i] - (127 * value) / most) < 0.501);
  }
  const part = rowsOfInt8(once, 3, 2);
  assert.deepEqual(fromInt8(part), fromInt8(once).subarray(3 * 64, 5 * 64));
});
