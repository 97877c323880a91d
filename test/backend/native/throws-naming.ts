import assert from 'node:assert/strict';
import { tf } from '../../../src/ops/tf.js';

/** Asserts that work with tensors throws an error whose message has each of the patterns. */
export function throwsNaming(work: () => unknown, ...patterns: RegExp[]): void {
  assert.throws(
    () => tf.tidy(() => void work()),
    (error: Error) => patterns.every((pattern) => pattern.test(error.message)),
  );
}
