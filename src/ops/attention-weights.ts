import { biasTensor, columnsOf, type HeadRows, splitHeads } from './attention.js';
import { layoutOf } from './padding.js';
import { tf } from './tf.js';

/**
 * What queries attend to: softmax(q·kᵀ / √(d / heads)) of one head, or the mean of all heads. `attention` computes it
 * without ever having all of it; this is a composite, for the one layer that somebody wants to see.
 *
 * @param q [Tq, d], or columns of a wider tensor
 * @param k [Tk, d], likewise
 * @param qOffsets [B + 1]
 * @param kOffsets [B + 1]; every sentence has at least one key
 * @param heads that there are
 * @param head the one to take, from 0; null takes the mean of all
 * @param width d
 * @returns [B, longest query sentence, longest key sentence]; 0 at keys that a sentence does not have
 */
export function attentionWeights(
  q: HeadRows,
  k: HeadRows,
  qOffsets: Int32Array,
  kOffsets: Int32Array,
  { heads, head }: { heads: number; head: number | null },
  width: number,
): tf.Tensor3D {
  return tf.tidy(() => {
    const [qLayout, kLayout] = [layoutOf(qOffsets), layoutOf(kOffsets)];
    const headWidth = width / heads;
    const count = head === null ? heads : 1;
    const chosen = (rows: HeadRows): tf.Tensor2D =>
      head === null ? columnsOf(rows, width) : columnsOf(columnOf(rows, head * headWidth), headWidth);
    const scores = tf.matMul(
      splitHeads(tf.mul(chosen(q), 1 / Math.sqrt(headWidth)), qLayout, count, [0, 2, 1, 3]),
      splitHeads(chosen(k), kLayout, count, [0, 2, 3, 1]),
    );
    const bias = biasTensor(qLayout, kLayout, kOffsets, { heads: count, causal: false });
    const weights = tf.softmax(bias === null ? scores : tf.add(scores, bias));
    const shape: [number, number, number, number] = [
      qLayout.sentences,
      count,
      qLayout.length,
      kLayout.length,
    ];
    return tf.mean(tf.reshape(weights, shape), 1);
  });
}

/** The same rows from a later column on. */
const columnOf = (rows: HeadRows, column: number): HeadRows =>
  'tensor' in rows ? { tensor: rows.tensor, column: rows.column + column } : { tensor: rows, column };
