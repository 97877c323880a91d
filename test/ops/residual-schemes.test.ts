import { test } from 'node:test';
import { dropoutMask } from '../../src/ops/dropout.js';
import { layerNormReference } from '../../src/ops/layer-norm.js';
import { type ResidualOptions, residual, residualReference } from '../../src/ops/residual.js';
import { tf } from '../../src/ops/tf.js';
import { onEachBackend } from './backends.js';
import { checkOp, compareWithReference, type Op } from './gradient-check.js';
import { matrix, vector } from './samples.js';

/** Which of the optional inputs a scheme has. */
interface Case {
  name: string;
  alpha?: number;
  omega?: boolean;
  gate?: boolean;
  norm?: boolean;
}

const CASES: readonly Case[] = [
  { name: 'Post-LN', norm: true },
  { name: 'Pre-LN' },
  { name: 'Admin', omega: true, norm: true },
  { name: 'DeepNorm', alpha: 1.7, norm: true },
  { name: 'ReZero', gate: true },
  { name: 'ReZero with Post-LN', gate: true, norm: true },
  { name: 'all at once', alpha: 0.6, omega: true, gate: true, norm: true },
];

const KEY = { seed: 3, step: 1, site: 2 };
const SHAPES = [
  [1, 5],
  [2, 6],
  [70, 33],
];
/** Differences of more elements are lost in the rounding of float32: a gate's gradient is a sum over all of them. */
const MOST_FOR_DIFFERENCES = 100;

/** The inputs of a case: x, branch, then those of ω, gate, gain and bias that it has. */
function inputsOf({ omega, gate, norm }: Case, rows: number, width: number): tf.Tensor[] {
  return [
    ...[matrix(rows, width, 1), matrix(rows, width, 2)],
    ...(omega ? [vector(width, 3)] : []),
    ...(gate ? [vector(1, 4)] : []),
    ...(norm ? [vector(width, 5), vector(width, 6)] : []),
  ];
}

/** Takes the inputs apart again. */
function optionsOf(given: Case, rest: tf.Tensor[], dropout: number): ResidualOptions {
  const next = [...rest] as tf.Tensor1D[];
  return {
    dropout,
    key: KEY,
    alpha: given.alpha ?? 1,
    omega: given.omega ? next.shift()! : null,
    gate: given.gate ? next.shift()! : null,
    norm: given.norm ? { gain: next[0], bias: next[1] } : null,
  };
}

const opOf =
  (sublayer: typeof residual, given: Case, dropout: number): Op =>
  (x, branch, ...rest) =>
    sublayer(x as tf.Tensor2D, branch as tf.Tensor2D, optionsOf(given, rest, dropout));

/** The formula in plain tfjs. */
const formula: typeof residual = (x, branch, { dropout, alpha, omega, gate, norm }) =>
  tf.tidy(() => {
    const mask = tf.tensor(dropoutMask(branch.size, dropout, KEY), branch.shape);
    const shortcut = tf.mul(x, tf.mul(alpha, omega ?? tf.ones([x.shape[1]])));
    const sum = tf.add(shortcut, tf.mul(tf.mul(branch, mask), gate ?? 1)) as tf.Tensor2D;
    return norm === null ? sum : layerNormReference(sum, norm.gain, norm.bias);
  });

onEachBackend(() => {
  for (const given of CASES) {
    test(`${given.name}: value and every gradient`, () => {
      for (const [rows, width] of SHAPES) {
        for (const dropout of [0, 0.3]) {
          for (const sublayer of [residual, residualReference]) {
            const [op, reference] = [opOf(sublayer, given, dropout), opOf(formula, given, dropout)];
            const check = rows * width > MOST_FOR_DIFFERENCES ? compareWithReference : checkOp;
            check(op, reference, inputsOf(given, rows, width));
          }
        }
      }
    });
  }
});
