import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  smoothedCrossEntropy,
  smoothedCrossEntropyReference,
  type TokenLosses,
} from '../../src/ops/cross-entropy.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { checkOp, compareWithReference, type Op } from './gradient-check.js';
import { matrix, rowsOf } from './samples.js';

type Losses = typeof smoothedCrossEntropy;

/** One of the losses as an op of (hidden, weight). */
const lossOp =
  (losses: Losses, targets: readonly number[], epsilon: number, name: keyof TokenLosses = 'loss'): Op =>
  (hidden, weight) =>
    tf.tidy(
      () => losses(hidden as tf.Tensor2D, weight as tf.Tensor2D, Int32Array.from(targets), epsilon)[name],
    );

/** [loss, nll] in doubles. */
function worked(logits: number[][], targets: ArrayLike<number>, epsilon: number): [number, number] {
  let [loss, nll] = [0, 0];
  logits.forEach((row, t) => {
    const most = Math.max(...row);
    const partition = most + Math.log(row.reduce((sum, z) => sum + Math.exp(z - most), 0));
    const smooth = row.reduce((sum, z) => sum + partition - z, 0) / row.length;
    loss += (1 - epsilon) * (partition - row[targets[t]]) + epsilon * smooth;
    nll += partition - row[targets[t]];
  });
  return [loss, nll];
}

/** [loss, nll] of given logits: the weight is the identity. */
function lossesOf(losses: Losses, logits: number[][], targets: number[], epsilon: number): number[] {
  return tf.tidy(() => {
    const identity = tf.eye(logits[0].length) as tf.Tensor2D;
    const { loss, nll } = losses(tf.tensor2d(logits), identity, Int32Array.from(targets), epsilon);
    return [loss.dataSync()[0], nll.dataSync()[0]];
  });
}

const BOTH = [smoothedCrossEntropy, smoothedCrossEntropyReference];
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

onEachBackend(() => {
  test('by hand: probabilities ¼, ½, ¼ and ⅛, ⅛, ¾ with ε 0 and 0.1', () => {
    const logits = [
      [0, Math.LN2, 0],
      [-1, -1, -1 + Math.log(6)],
    ];
    const nll = Math.log(2) + Math.log(8);
    const smooth = (Math.log(4) + Math.log(2) + Math.log(4) + 2 * Math.log(8) + Math.log(4 / 3)) / 3;
    for (const losses of BOTH) {
      allClose(lossesOf(losses, logits, [1, 0], 0), [nll, nll]);
      allClose(lossesOf(losses, logits, [1, 0], 0.1), [0.9 * nll + 0.1 * smooth, nll]);
    }
  });

  test('random shapes, worked in doubles', () => {
    const size = fc.integer({ min: 1, max: 17 });
    fc.assert(
      fc.property(size, size, size, fc.constantFrom(0, 0.1, 0.5), (rows, width, vocabulary, epsilon) => {
        tf.tidy(() => {
          const [hidden, weight] = [matrix(rows, width, 1), matrix(vocabulary, width, 2)];
          const targets = Int32Array.from({ length: rows }, (_, t) => (7 * t + rows) % vocabulary);
          const table = rowsOf(weight);
          const logits = rowsOf(hidden).map((h) =>
            table.map((w) => w.reduce((sum, x, i) => sum + x * h[i], 0)),
          );
          const { loss, nll } = smoothedCrossEntropy(hidden, weight, targets, epsilon);
          assert.deepEqual([loss.shape, nll.shape], [[], []]);
          const found = [loss.dataSync()[0], nll.dataSync()[0]];
          allClose(found, worked(logits, targets, epsilon), { absolute: 1e-5 });
        });
      }),
      { seed: 6, numRuns: 40 },
    );
  });

  for (const epsilon of [0, 0.1]) {
    test(`gradients with ε ${epsilon}: one token, repeated targets, more tokens than types, fewer`, () => {
      const cases: [targets: number[], width: number, vocabulary: number][] = [
        [[2], 3, 5],
        [[1, 1, 0, 1], 4, 3],
        [[6, 0, 3, 2, 2, 6, 1, 5, 4, 0, 2], 2, 7],
        [[0, 12], 6, 13],
      ];
      for (const [targets, width, vocabulary] of cases) {
        checkOp(
          lossOp(smoothedCrossEntropy, targets, epsilon),
          lossOp(smoothedCrossEntropyReference, targets, epsilon),
          [matrix(targets.length, width, 1), matrix(vocabulary, width, 2)],
        );
      }
    });
  }

  test('the gradient follows the weight of the loss, and none flows through nll', () => {
    tf.tidy(() => {
      const inputs = [matrix(3, 4, 1), matrix(5, 4, 2)];
      const one = tf.grads(lossOp(smoothedCrossEntropy, [4, 0, 2], 0.1))(inputs, tf.scalar(1));
      const three = tf.grads(lossOp(smoothedCrossEntropy, [4, 0, 2], 0.1))(inputs, tf.scalar(-3));
      const none = tf.grads(lossOp(smoothedCrossEntropy, [4, 0, 2], 0.1, 'nll'))(inputs, tf.scalar(1));
      inputs.forEach((input, i) => {
        allClose(three[i], tf.mul(one[i], -3));
        allClose(none[i], tf.zerosLike(input), { absolute: 0 });
      });
    });
  });

  test('both losses of one call leave nothing behind beside themselves', () => {
    const [hidden, weight] = [matrix(3, 4, 1), matrix(5, 4, 2)];
    const before = tf.memory().numTensors;
    const losses = smoothedCrossEntropy(hidden, weight, Int32Array.of(4, 0, 2), 0.1);
    assert.equal(tf.memory().numTensors, before + 2);
    tf.dispose([losses.loss, losses.nll, hidden, weight]);
  });

  test('logits of ±1e4, −1e9 and zeros are exact: nothing under- or overflows', () => {
    const logits = [
      [1e4, 0, -1e4],
      [1e4, 0, -1e4],
      [0, -1e9, 0],
      [0, 0, 0],
      [-1e9, -1e9, -1e9],
    ];
    const targets = [0, 2, 0, 2, 1];
    for (const losses of BOTH) {
      logits.forEach((row, t) => {
        for (const epsilon of [0, 0.1]) {
          const found = lossesOf(losses, [row], [targets[t]], epsilon);
          // 64 is the distance of neighbouring floats at 1e9: log 3 is lost beside it
          const absolute = row[1] === -1e9 && row[0] === -1e9 ? 2 : 1e-5;
          allClose(found, worked([row], [targets[t]], epsilon), { absolute, relative: 1e-6 });
        }
      });
    }
  });

  test('gradients at extreme logits: differences of probabilities, no NaN', () => {
    const [targets, epsilon] = [[1, 0, 2], 0.1];
    const extreme = [
      [1e4, 0, -1e4],
      [0, -1e9, 0],
      [0, 0, 0],
    ];
    tf.tidy(() => {
      const inputs = [tf.tensor2d(extreme), tf.eye(3)];
      const op = lossOp(smoothedCrossEntropy, targets, epsilon);
      compareWithReference(op, lossOp(smoothedCrossEntropyReference, targets, epsilon), inputs);
      const [dHidden] = tf.grads(op)(inputs);
      const [share, third] = [epsilon / 3, 1 / 3];
      const expected = [1 - share, -0.9 - share, -share, 0.5 - share - 0.9, -share, 0.5 - share];
      allClose(dHidden, [...expected, third - share, third - share, third - share - 0.9]);
    });
  });

  test('NaN and ∞ make NaN of the losses and of the gradient of their own row', () => {
    for (const strange of [nan, inf, -inf]) {
      for (const losses of BOTH) {
        allClose(
          lossesOf(
            losses,
            [
              [1, 2, 3],
              [strange, 0, 1],
            ],
            [0, 1],
            0.1,
          ),
          [nan, nan],
        );
      }
      tf.tidy(() => {
        const hidden = tf.tensor2d([1, 2, strange, 0, 3, 4], [3, 2]);
        const [dHidden] = tf.grads(lossOp(smoothedCrossEntropy, [0, 1, 2], 0.1))([hidden, matrix(4, 2)]);
        const rows = rowsOf(dHidden as tf.Tensor2D);
        allClose(rows[1], [nan, nan]);
        assert.ok([...rows[0], ...rows[2]].every(Number.isFinite));
      });
    }
  });

  test('a vocabulary of one type costs nothing', () => {
    allClose(lossesOf(smoothedCrossEntropy, [[5], [-1e4]], [0, 0], 0.1), [0, 0]);
  });
});
