import assert from 'node:assert/strict';
import { relativeError } from '../model/models.js';

/** @param tolerance of the largest difference, as a share of the largest value that is expected */
export function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  const [left, right] = [found, expected].map((values) => Array.from(values).join(' '));
  assert.ok(relativeError(found, expected) <= tolerance, `${left}, expected ${right}`);
}
