import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitExponent, fitLine } from '../../src/analysis/fit.js';
import { assertClose } from './close.js';

test('a line through points, and how much of them it explains', () => {
  assert.deepEqual(fitLine([0, 1, 2], [1, 3, 5]), { slope: 2, offset: 1, explained: 1 });
  const { slope, offset, explained } = fitLine([0, 1, 2], [0, 3, 0]);
  assert.deepEqual([slope, offset, explained], [0, 1, 0]);
});

test('two points are explained by any line, and a constant by none', () => {
  assert.deepEqual(fitLine([1, 2], [3, 7]), { slope: 4, offset: -1, explained: null });
  assert.equal(fitLine([1, 2, 2, 1], [3, 7, 6, 2]).explained, null, 'at two places');
  assert.equal(fitLine([1, 2, 3], [3, 3, 3]).explained, null);
  assert.equal(fitLine([1, 2, 3], [3, 4, 6]).explained?.toFixed(3), '0.964');
});

test('exponents', () => {
  const depths = [6, 12, 24, 48, 96];
  assertClose(
    [
      fitExponent(
        depths,
        depths.map((n) => 7 * n),
      )!,
    ],
    [1],
    1e-12,
  );
  assertClose(
    [
      fitExponent(
        depths,
        depths.map((n) => 0.1 * n ** 0.5),
      )!,
    ],
    [0.5],
    1e-12,
  );
  assert.equal(fitExponent(depths, [1, 0, 1, 1, 1]), null);
  assert.equal(fitExponent(depths, [1, 2, 3, 4, Number.NaN]), null);
});
