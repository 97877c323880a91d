import assert from 'node:assert/strict';
import type { tf } from '../../src/ops/tf.js';

export interface Tolerance {
  absolute?: number;
  relative?: number;
}

type Values = tf.Tensor | ArrayLike<number>;

/**
 * Fails at the first place where |actual − expected| > absolute + relative · |expected|. NaN matches NaN alone, +∞
 * and −∞ themselves alone. Two tensors must have the same shape, other values the same length.
 */
export function allClose(
  actual: Values,
  expected: Values,
  { absolute = 1e-6, relative = 1e-5 }: Tolerance = {},
  what = '',
): void {
  const label = what === '' ? '' : `${what}: `;
  const [shape, expectedShape] = [shapeOf(actual), shapeOf(expected)];
  if (isTensor(actual) && isTensor(expected)) assert.deepEqual(shape, expectedShape, `${label}shape`);
  const [found, wanted] = [valuesOf(actual), valuesOf(expected)];
  assert.equal(found.length, wanted.length, `${label}number of values`);
  for (let i = 0; i < wanted.length; i++) {
    if (!isClose(found[i], wanted[i], absolute, relative)) {
      const place = coordinates(i, isTensor(actual) ? shape : expectedShape).join(', ');
      assert.fail(`${label}at [${place}]: found ${found[i]}, expected ${wanted[i]}`);
    }
  }
}

function isClose(actual: number, expected: number, absolute: number, relative: number): boolean {
  if (Number.isNaN(expected) || Number.isNaN(actual)) return Number.isNaN(expected) === Number.isNaN(actual);
  if (!Number.isFinite(expected)) return actual === expected;
  return Math.abs(actual - expected) <= absolute + relative * Math.abs(expected);
}

const isTensor = (values: Values): values is tf.Tensor => 'dataSync' in values;
const valuesOf = (values: Values): ArrayLike<number> => (isTensor(values) ? values.dataSync() : values);
const shapeOf = (values: Values): readonly number[] => (isTensor(values) ? values.shape : [values.length]);

function coordinates(index: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  for (const size of shape.toReversed()) {
    place.unshift(index % size);
    index = Math.floor(index / size);
  }
  return place;
}
