import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  compact,
  interpolate,
  nearestIndex,
  positions,
  smooth,
  spreadLabels,
} from '../../src/report/training-view.js';

test('the nearest of ascending values', () => {
  const xs = [1, 4, 6];
  assert.deepEqual(
    [0, 2, 3, 5.5, 9].map((x) => nearestIndex(xs, x)),
    [0, 0, 1, 2, 2],
  );
  assert.deepEqual([nearestIndex([], 1), nearestIndex([3], 1)], [-1, 0]);
});

test('values between points, and beyond them', () => {
  const at = (x: number) => interpolate([0, 10, 20], [0, 1, 3], x);
  assert.deepEqual([0, 5, 10, 15, 30].map(at), [0, 0.5, 1, 2, 5]);
  assert.equal(interpolate([0], [7], 3), 7);
});

test('a curve lies on the axis that was chosen', () => {
  const clock = { updates: [0, 100], epochs: [0, 2], hours: [0, 0.5] };
  const curve = { updates: [50, 100], values: [1, 2] };
  assert.deepEqual(positions(curve, clock, 'updates'), [50, 100]);
  assert.deepEqual(positions(curve, clock, 'epochs'), [1, 2]);
  assert.deepEqual(positions(curve, clock, 'hours'), [0.25, 0.5]);
});

test('smoothing leaves a constant as it is, from its first value on', () => {
  for (const value of smooth({ updates: [0, 5, 9], values: [3, 3, 3] }, 4))
    assert.ok(Math.abs(value - 3) < 1e-9);
  const [first, second] = smooth({ updates: [1, 2], values: [0, 3] }, 1 / Math.LN2);
  assert.equal(first, 0);
  assert.ok(Math.abs(second - 2) < 1e-12);
});

test('a curve with more points is smoothed as one with fewer', () => {
  const end = (every: number) => {
    const updates = Array.from({ length: 1000 / every }, (_, i) => (i + 1) * every);
    return smooth({ updates, values: updates.map((u) => u / 1000) }, 100).at(-1)!;
  };
  assert.ok(Math.abs(end(1) - end(10)) < 0.01);
});

test('numbers of any size are short', () => {
  const texts = [0, 1e-7, 0.0005, 1.23456, 9999, 12345, 2e6, -0.5].map(compact);
  assert.deepEqual(texts, ['0', '1e-7', '0.0005', '1.235', '9999', '12.35k', '2M', '-0.5']);
});

test('labels are moved apart and stay above the bottom', () => {
  assert.deepEqual(spreadLabels([10, 11, 50], 10, 100), [10, 20, 50]);
  assert.deepEqual(spreadLabels([99, 98], 10, 100), [100, 90]);
  assert.deepEqual(spreadLabels([], 10, 100), []);
});
