import { biasTensor, columnsOf, type HeadRows, splitHeads } from './attention.js';
import { type Layout, layoutOf } from './padding.js';
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
  choice: { heads: number; head: number | null },
  width: number,
): tf.Tensor3D {
  return tf.tidy(() => {
    const { queries, keys, bias, shape } = headGrids(q, k, qOffsets, kOffsets, choice, width);
    const scores = tf.matMul(queries, keys);
    const weights = tf.softmax(bias === null ? scores : tf.add(scores, bias));
    return tf.mean(tf.reshape(weights, shape), 1);
  });
}

/** What the attention of heads is computed from; N = B · heads. */
export interface HeadGrids {
  /** q / √(d / heads), [N, Lq, d / heads]. */
  queries: tf.Tensor3D;
  /** kᵀ, [N, d / heads, Lk]. */
  keys: tf.Tensor3D;
  /** −∞ at keys that a sentence does not have, [N, Lq, Lk]; null where all have as many. */
  bias: tf.Tensor3D | null;
  /** [B, heads, Lq, Lk] */
  shape: [number, number, number, number];
}

/** Queries and keys of one head or of all, sentence by sentence; arguments as those of attentionWeights. */
export function headGrids(
  q: HeadRows,
  k: HeadRows,
  qOffsets: Int32Array,
  kOffsets: Int32Array,
  { heads, head }: { heads: number; head: number | null },
  width: number,
): HeadGrids {
  const [qLayout, kLayout] = [layoutOf(qOffsets), layoutOf(kOffsets)];
  const headWidth = width / heads;
  const count = head === null ? heads : 1;
  const chosen = (rows: HeadRows, layout: Layout): tf.Tensor2D =>
    firstRows(
      head === null ? columnsOf(rows, width) : columnsOf(columnOf(rows, head * headWidth), headWidth),
      layout.rows,
    );
  return {
    queries: splitHeads(tf.mul(chosen(q, qLayout), 1 / Math.sqrt(headWidth)), qLayout, count, [0, 2, 1, 3]),
    keys: splitHeads(chosen(k, kLayout), kLayout, count, [0, 2, 3, 1]),
    bias: biasTensor(qLayout, kLayout, kOffsets, { heads: count, causal: false }),
    shape: [qLayout.sentences, count, qLayout.length, kLayout.length],
  };
}

/** Those of the sentences: padding may come after them. */
const firstRows = (x: tf.Tensor2D, rows: number): tf.Tensor2D =>
  x.shape[0] === rows ? x : tf.slice(x, [0, 0], [rows, x.shape[1]]);

/** The same rows from a later column on. */
const columnOf = (rows: HeadRows, column: number): HeadRows =>
  'tensor' in rows ? { tensor: rows.tensor, column: rows.column + column } : { tensor: rows, column };
