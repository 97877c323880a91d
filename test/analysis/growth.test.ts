import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthOf, theoryOf } from '../../src/analysis/growth.js';
import type { OutputChange } from '../../src/report/analysis-data.js';
import { tinyConfig } from '../model/models.js';
import { assertClose } from './close.js';

const DEPTHS = [6, 12, 24];

/** Changes of seeds that grow with powers of the depth. */
function changesOf(residual: string, ...powers: number[]): OutputChange[] {
  return DEPTHS.map((depth) => ({
    residual,
    checkpoint: 'init',
    updates: 0,
    stack: 'encoder',
    direction: 'random',
    depth,
    delta: 1e-4,
    changes: powers.map((power) => depth ** power),
  }));
}

const THEORY = (['post-ln', 'pre-ln', 'rezero'] as const).flatMap((residual) =>
  DEPTHS.flatMap((depth) => theoryOf(tinyConfig({ residual }), depth)),
);

test('an exponent for each seed, their mean and spread, and what theory expects at these depths', () => {
  const [post, pre] = growthOf([...changesOf('post-ln', 0.8, 1.2), ...changesOf('pre-ln', 0.3)], THEORY);
  assertClose(post.exponents as number[], [0.8, 1.2], 1e-9);
  assertClose([post.exponent!, post.deviation!, post.expected!], [1, Math.sqrt(0.08), 1], 1e-9);
  assert.deepEqual([pre.residual, pre.depths, pre.deviation], ['pre-ln', DEPTHS, null]);
  assert.ok(pre.expected! > 0.2 && pre.expected! < 0.4);
});

test('straight lines over N and over ln N are told apart', () => {
  const [linear] = growthOf(changesOf('post-ln', 1), THEORY);
  assertClose([linear.linearFit!], [1], 1e-9);
  assert.ok(linear.logarithmicFit! < 0.97);
});

test('of two depths there is an exponent, but nothing that a fit would explain', () => {
  const two = changesOf('post-ln', 0.8, 1.2).filter(({ depth }) => depth !== 12);
  const [{ exponent, linearFit, logarithmicFit }] = growthOf(two, THEORY);
  assertClose([exponent!], [1], 1e-9);
  assert.deepEqual([linearFit, logarithmicFit], [null, null]);
});

test('no change has no exponent, and none is expected where the branches are shut', () => {
  const still = changesOf('rezero', 0).map((change) => ({ ...change, changes: [0] }));
  const [growth] = growthOf(still, THEORY);
  assert.deepEqual([growth.exponent, growth.deviation, growth.expected], [null, null, null]);
});
