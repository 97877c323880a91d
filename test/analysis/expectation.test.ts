import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectedChange, expectedShares } from '../../src/analysis/expectation.js';
import type { ModelConfig } from '../../src/config/schema.js';
import { deepnormConstants, subLnGain } from '../../src/model/scheme.js';
import { RESIDUALS, tinyConfig } from '../model/models.js';
import { assertClose } from './close.js';

const shares = (residual: ModelConfig['residual'], changes: Partial<ModelConfig> = {}) =>
  expectedShares(tinyConfig({ residual, ...changes }), 'encoder');

test('post-ln: a half is of the own branch, a quarter of the one before', () => {
  assertClose(shares('post-ln')[3], [1 / 16, 1 / 16, 1 / 8, 1 / 4, 1 / 2], 1e-12);
  assert.deepEqual(shares('look-linear'), shares('post-ln'));
});

test('pre-ln and profiled admin: all branches alike', () => {
  for (const residual of ['pre-ln', 'admin'] as const) {
    shares(residual).forEach((row, i) => {
      assertClose(row, new Array(i + 2).fill(1 / (i + 2)), 1e-12);
    });
  }
});

test('post-ln-pre-ln: each stack as its scheme', () => {
  const mixed = (stack: 'encoder' | 'decoder') =>
    expectedShares(tinyConfig({ residual: 'post-ln-pre-ln' }), stack);
  assert.deepEqual(mixed('encoder'), expectedShares(tinyConfig({ residual: 'post-ln' }), 'encoder'));
  assert.deepEqual(mixed('decoder'), expectedShares(tinyConfig({ residual: 'pre-ln' }), 'decoder'));
});

test('analytic admin, deepnorm and rezero by their constants', () => {
  const omega = { ...tinyConfig().omega, init: 'analytic', outputChange: 'constant' } as const;
  // ω² = 4 at every sublayer of two layers
  assertClose(shares('admin', { omega })[1], [16 / 25, 4 / 25, 1 / 5], 1e-12);
  const { alpha, beta } = deepnormConstants(tinyConfig(), 'encoder');
  assertClose([shares('deepnorm')[0][1]], [beta ** 4 / (alpha ** 2 + beta ** 4)], 1e-12);
  assert.deepEqual(shares('rezero')[1], [1, 0, 0]);
});

test('b2t: what a layer began with comes again at its end, in the direction that it has', () => {
  const one = shares('b2t', { encoder: { layers: 1 } });
  // Gain 1 for one layer. Self-attention: 1/2 and 1/2; then x₀ has deviation √½ + 1, the first branch √½, the second 1.
  const x = (Math.SQRT1_2 + 1) ** 2;
  assertClose(one[0], [1 / 2, 1 / 2], 1e-12);
  assertClose(one[1], [x / (x + 1.5), 0.5 / (x + 1.5), 1 / (x + 1.5)], 1e-12);
});

test('sub-ln: branches of variance γ², but for attention to the encoder', () => {
  const gamma = subLnGain(tinyConfig(), 'decoder') ** 2;
  const rows = expectedShares(tinyConfig({ residual: 'sub-ln' }), 'decoder');
  const sum = 1 + gamma + 1 + gamma;
  assertClose(rows[2], [1 / sum, gamma / sum, 1 / sum, gamma / sum], 1e-12);
});

test('rows sum to 1 in all schemes', () => {
  for (const residual of RESIDUALS) {
    for (const row of expectedShares(tinyConfig({ residual }), 'decoder'))
      assertClose([row.reduce((sum, share) => sum + share, 0)], [1], 1e-12);
  }
});

test('the change grows with N in post-ln and with ln N in pre-ln', () => {
  const deep = (residual: ModelConfig['residual'], layers: number) =>
    expectedChange(tinyConfig({ residual, encoder: { layers } }), 'encoder');
  assertClose([deep('post-ln', 6), deep('post-ln', 96)], [6, 96], 1e-9);
  // Σ 1/(i+1) for i = 1 … 2N
  assertClose([deep('pre-ln', 1), deep('pre-ln', 2)], [1 / 2 + 1 / 3, 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5], 1e-12);
  assertClose([deep('pre-ln', 960) - deep('pre-ln', 480)], [Math.LN2], 0.002);
});
