import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropoutMask } from '../../src/ops/dropout.js';
import {
  embeddingReference,
  type PlacedEmbeddingOptions,
  placedEmbedding,
  placedEmbeddingReference,
} from '../../src/ops/embedding.js';
import { tf } from '../../src/ops/tf.js';
import { onEachBackend } from './backends.js';
import { checkOp, type Op } from './gradient-check.js';
import { matrix } from './samples.js';

const KEY = { seed: 5, step: 7, site: 1 };
const TOKENS = Int32Array.of(3, 0, 3, 4, 3, 1, 1);
const PLACES = Int32Array.of(0, 1, 2, 0, 1, 0, 1);

type Embed = (tokens: Int32Array, table: tf.Tensor2D, options: PlacedEmbeddingOptions) => tf.Tensor2D;

const opOf =
  (embed: Embed, scale: number, dropout: number): Op =>
  (table, positions) =>
    embed(TOKENS, table as tf.Tensor2D, {
      ...{ scale, dropout, places: PLACES, key: KEY },
      positions: (positions as tf.Tensor2D | undefined) ?? null,
    });

/** The formula, with one-hot products for look-ups. */
const formula: Embed = (tokens, table, { scale, positions, places, dropout }) =>
  tf.tidy(() => {
    const scaled = tf.mul<tf.Tensor2D>(embeddingReference(tokens, table), scale);
    const placed = positions === null ? scaled : tf.add(scaled, embeddingReference(places, positions));
    return tf.mul(
      placed,
      tf.tensor(dropoutMask(placed.size, dropout, KEY), placed.shape as [number, number]),
    );
  });

onEachBackend(() => {
  test('table · scale + positions, with dropout: value and gradients', () => {
    for (const width of [1, 6, 70]) {
      for (const dropout of [0, 0.4]) {
        for (const embed of [placedEmbedding, placedEmbeddingReference]) {
          const [op, reference] = [opOf(embed, 2.5, dropout), opOf(formula, 2.5, dropout)];
          checkOp(op, reference, [matrix(5, width, 1), matrix(3, width, 2)]);
          checkOp(op, reference, [matrix(5, width, 1)]);
        }
      }
    }
  });

  test('a token or a position outside of its table throws', () => {
    const embed = (tokens: number[], places: number[]) => () =>
      tf.tidy(() =>
        placedEmbedding(Int32Array.from(tokens), matrix(3, 4), {
          ...{ scale: 1, dropout: 0, key: null },
          ...{ positions: matrix(2, 4), places: Int32Array.from(places) },
        }),
      );
    assert.doesNotThrow(embed([0, 2], [0, 1]));
    for (const wrong of [embed([3], [0]), embed([-1], [0]), embed([0], [2])]) assert.throws(wrong);
  });
});
