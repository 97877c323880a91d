import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL_WATCH, type SilentFailure, WINDOW, watch } from '../../../src/train/doctor/watch.js';

const UNIGRAM = 8;

/** What is said, and at which update, of a run whose windows have these losses in bits. */
function said(windows: readonly number[], warmup = 0): [SilentFailure, number][] {
  let state = INITIAL_WATCH;
  const found: [SilentFailure, number][] = [];
  for (let update = 1; update <= windows.length * WINDOW; update++) {
    // Noise that vanishes over a window; every tenth update is skipped.
    const bits = windows[Math.floor((update - 1) / WINDOW)] + (update % 2 === 0 ? 1 : -1);
    const finite = update % 10 > 1;
    const nll = finite ? 50 * bits * Math.LN2 : Number.NaN;
    const figures = { loss: nll, nll, gradientNorm: 1, tokens: 50, finite };
    const next = watch(state, figures, update, warmup, () => UNIGRAM);
    state = JSON.parse(JSON.stringify(next.state)); // as a checkpoint keeps it
    if (next.failure !== null) found.push([next.failure.kind, update]);
  }
  return found;
}

test('a loss that falls, noise aside, is left alone', () => {
  assert.deepEqual(said([9, 7.5, 6, 5, 4.5, 4, 4.1, 3.9, 4, 4.2, 3.9]), []);
  assert.deepEqual(
    said([9, 8, 8, 7.9, 7.5, 7, 6]),
    [],
    'three windows at the plateau, one of them while settling',
  );
});

test('plateau: three windows within the band, told once', () => {
  assert.deepEqual(said([9, 8, 8, 8.1, 8.2, 8, 8, 8]), [['plateau', 500]]);
  assert.deepEqual(said([9, 8, 8, 8.1, 8.2, 8], 200), [], 'warmup of 200, then 200 to settle');
  assert.deepEqual(said([9, 8, 8, 8.1, 8.2, 8, 8], 200), [['plateau', 700]]);
});

test('worse than the plateau', () => {
  assert.deepEqual(said([12, 12, 12, 12, 12]), [['above-plateau', 500]]);
});

test('a loss that still falls is not stuck, far above the plateau as well', () => {
  assert.deepEqual(said([16, 15, 14, 13, 12, 11, 10, 9.5, 9, 8.8]), []);
  assert.deepEqual(said([9, 8.3, 8.2, 8.1, 8, 7.9]), []);
  assert.deepEqual(said([9, 8.3, 8.25, 8.2, 8.15]), [['plateau', 500]], 'by less than a hundredth a window');
});

test('spike: three windows well above the best one; one that comes back is none', () => {
  assert.deepEqual(said([8, 5, 3, 2, 6, 5, 2]), []);
  assert.deepEqual(said([8, 5, 3, 2, 6, 5, 4, 4]), [['spike', 700]]);
  assert.deepEqual(said([8, 5, 3, 2, 6, 5, 4, 2, 2, 6, 5, 4]), [
    ['spike', 700],
    ['spike', 1200],
  ]);
});

test('a small loss may double without a warning', () => {
  assert.deepEqual(said([8, 2, 0.2, 0.4, 0.4, 0.4, 0.4, 0.4]), []);
});

test('windows without a finite update are passed over', () => {
  const figures = { loss: Number.NaN, nll: Number.NaN, gradientNorm: 1, tokens: 5, finite: false };
  const { state, failure } = watch(INITIAL_WATCH, figures, WINDOW, 0, () => UNIGRAM);
  assert.deepEqual([state, failure], [INITIAL_WATCH, null]);
});
