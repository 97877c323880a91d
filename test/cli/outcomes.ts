import assert from 'node:assert/strict';
import type { Outcome } from './run-program.js';

/** What a run came to that did what it was asked for. */
export function done({ status, stdout, stderr }: Outcome): Outcome {
  assert.equal(status, 0, stderr);
  return { status, stdout, stderr };
}

/** Fails unless a run was the user's mistake, said by `pattern` on standard error, with nothing on standard output. */
export function refused({ status, stdout, stderr }: Outcome, pattern: RegExp): void {
  assert.equal(status, 2, stderr);
  assert.match(stderr, pattern);
  assert.equal(stdout, '');
}
