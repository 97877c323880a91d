import { test } from 'node:test';
import { attention, attentionReference, type HeadRows } from '../../src/ops/attention.js';
import { crossProjections, selfProjections } from '../../src/ops/head-projections.js';
import { linearReference } from '../../src/ops/matmul.js';
import { tf } from '../../src/ops/tf.js';
import { onEachBackend } from './backends.js';
import { checkOp, type Op } from './gradient-check.js';
import { matrix, vector } from './samples.js';

const OFFSETS = Int32Array.of(0, 3, 4, 9);
const WIDTH = 6;
const OPTIONS = { heads: 2, causal: true, dropout: 0.2, key: { seed: 1, step: 2, site: 3 } };

type Project = (x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D) => HeadRows[];

/** Self-attention of x, or attention of x to itself by another projection, from weights [3d, d]. */
const opOf =
  (attend: typeof attention, project: Project): Op =>
  (x, weight, bias) =>
    tf.tidy(() => {
      const [q, k, v] = project(x as tf.Tensor2D, weight as tf.Tensor2D, bias as tf.Tensor1D);
      return attend(q, k, v, OFFSETS, OFFSETS, OPTIONS, WIDTH);
    });

const apart: Project = (x, weight, bias) =>
  [0, 1, 2].map((i) =>
    linearReference(
      x,
      tf.slice(weight, [i * WIDTH, 0], [WIDTH, WIDTH]),
      tf.slice(bias, [i * WIDTH], [WIDTH]),
    ),
  );

onEachBackend(() => {
  test('three projections at once, and one and two', () => {
    const inputs = () => [matrix(9, WIDTH, 1), matrix(3 * WIDTH, WIDTH, 2), vector(3 * WIDTH, 3)];
    const together: Project = (x, weight, bias) => selfProjections(x, weight, bias);
    const split: Project = (x, weight, bias) => crossProjections(x, x, weight, bias);
    for (const project of [together, split]) {
      checkOp(opOf(attention, project), opOf(attentionReference, apart), inputs());
    }
  });
});
