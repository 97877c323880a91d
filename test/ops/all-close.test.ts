import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allClose } from './all-close.js';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

test('equal, near, NaN with NaN and infinities with themselves pass', () => {
  allClose([0, 1, nan, inf, -inf], [0, 1 + 1e-6, nan, inf, -inf]);
  allClose([], []);
  allClose([1e9], [1e9 + 1e3]);
});

test('NaN, +∞, −∞ and numbers differ from one another', () => {
  const kinds = [nan, inf, -inf, 0, 3e38];
  for (const [i, actual] of kinds.entries()) {
    for (const [j, expected] of kinds.entries()) {
      const compare = () => allClose([actual], [expected], { absolute: 1e30, relative: 0.5 });
      if (i === j) compare();
      else assert.throws(compare, assert.AssertionError, `${actual} for ${expected}`);
    }
  }
});

test('the message names the first place that differs', () => {
  assert.throws(
    () => allClose([1, 2, 3.1, 9], [1, 2, 3, 4], {}, 'dx'),
    /^AssertionError.*: dx: at \[2\]: found 3.1, expected 3$/,
  );
  assert.throws(() => allClose([1, 2], [1]), /number of values/);
});
