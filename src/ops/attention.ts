import { dropoutMask } from './dropout.js';
import { type HeadPlace, hasKernel, kernelDropout, type MaskKey, runFused } from './kernels.js';
import { type Layout, layoutOf, padRows, unpadRows } from './padding.js';
import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

export interface AttentionOptions {
  heads: number;
  /** Position i sees positions up to i alone. */
  causal: boolean;
  /** Dropout of the attention weights. */
  dropout: number;
  key: MaskKey | null;
}

/** Rows of q, k or v: a tensor of their own, or the columns [column, column + d) of a wider one. */
export type HeadRows = tf.Tensor2D | { tensor: tf.Tensor2D; column: number };

/**
 * Multi-head scaled dot-product attention over packed sentences: query sentence i attends to key sentence i.
 *
 * The dropout mask of (query row t, head h, key position j in its sentence) is the random number of index
 * (t · heads + h) · stride + j, with stride the longest key sentence rounded up to a multiple of 4.
 *
 * @param q [Tq, d]
 * @param k [Tk, d]
 * @param v [Tk, d]
 * @param qOffsets [B + 1]
 * @param kOffsets [B + 1]; every sentence has at least one key
 * @param width d; needed where q, k and v are columns of wider tensors
 * @returns [Tq, d], the heads side by side
 */
export function attention(
  q: HeadRows,
  k: HeadRows,
  v: HeadRows,
  qOffsets: Int32Array,
  kOffsets: Int32Array,
  options: AttentionOptions,
  width = tensorOf(q).shape[1],
): tf.Tensor2D {
  if (hasKernel('Attention', 'AttentionGradient'))
    return fusedAttention([q, k, v], qOffsets, kOffsets, options, width);
  return compose([q, k, v], qOffsets, kOffsets, options, fusedHeads, width);
}

/** The same, differentiated by tfjs's autodiff: the oracle of `attention`. */
export function attentionReference(
  q: HeadRows,
  k: HeadRows,
  v: HeadRows,
  qOffsets: Int32Array,
  kOffsets: Int32Array,
  options: AttentionOptions,
  width = tensorOf(q).shape[1],
): tf.Tensor2D {
  return compose([q, k, v], qOffsets, kOffsets, options, plainHeads, width);
}

function compose(
  rows: HeadRows[],
  qOffsets: Int32Array,
  kOffsets: Int32Array,
  options: AttentionOptions,
  heads: Heads,
  width: number,
): tf.Tensor2D {
  return tf.tidy(() => {
    const [q, k, v] = rows.map((entry) => columnsOf(entry, width));
    return attend(q, k, v, qOffsets, kOffsets, options, heads);
  });
}

/** The tensor that rows are, or are columns of. */
export const tensorOf = (rows: HeadRows): tf.Tensor2D => ('tensor' in rows ? rows.tensor : rows);

/** Rows as a tensor of their own: [T, width]. */
export function columnsOf(rows: HeadRows, width: number): tf.Tensor2D {
  if (!('tensor' in rows)) return rows;
  return tf.slice(rows.tensor, [0, rows.column], [rows.tensor.shape[0], width]);
}

const numbered = (tensors: tf.Tensor[]): Partial<Record<'0' | '1' | '2', tf.Tensor>> =>
  Object.fromEntries(tensors.entries());

/** Keeps the tensors, the result and the logarithm of each partition function. */
function fusedAttention(
  rows: HeadRows[],
  queryOffsets: Int32Array,
  keyOffsets: Int32Array,
  { heads, causal, dropout, key }: AttentionOptions,
  width: number,
): tf.Tensor2D {
  // A tensor of which several are columns is one input; the same whole tensor three times over is three.
  const tensors: tf.Tensor2D[] = [];
  const [q, k, v] = rows.map((entry): HeadPlace => {
    if (!('tensor' in entry)) return { tensor: tensors.push(entry) - 1, column: 0 };
    const known = tensors.indexOf(entry.tensor);
    return { tensor: known === -1 ? tensors.push(entry.tensor) - 1 : known, column: entry.column };
  });
  const attributes = {
    ...{ q, k, v, width, heads, causal, queryOffsets, keyOffsets },
    dropout: kernelDropout(dropout, key),
  };
  return withGradient<tf.Tensor2D>(tensors, (keep) => {
    const [out, logPartition] = runFused('Attention', numbered(tensors), attributes);
    const saved = tensors.map((tensor) => keep(tensor));
    const [savedOut, savedPartition] = [keep(out), keep(logPartition)];
    return {
      value: out as tf.Tensor2D,
      gradient: (dy) =>
        runFused(
          'AttentionGradient',
          { ...numbered(saved.map((get) => get())), out: savedOut(), logPartition: savedPartition(), dy },
          attributes,
        ),
    };
  });
}

/**
 * softmax(q·kᵀ + bias)·v for each head of each sentence, q already scaled.
 * q [N, Lq, dh], kᵀ [N, dh, Lk], v [N, Lk, dh], bias and mask [N, Lq, Lk] or null; N = B · heads.
 */
type Heads = (
  q: tf.Tensor3D,
  kT: tf.Tensor3D,
  v: tf.Tensor3D,
  bias: tf.Tensor3D | null,
  mask: tf.Tensor3D | null,
) => tf.Tensor3D;

function attend(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  qOffsets: Int32Array,
  kOffsets: Int32Array,
  options: AttentionOptions,
  heads: Heads,
): tf.Tensor2D {
  const [qLayout, kLayout] = [layoutOf(qOffsets), layoutOf(kOffsets)];
  const count = options.heads;
  const headWidth = q.shape[1] / count;
  const scaled = tf.mul<tf.Tensor2D>(q, 1 / Math.sqrt(headWidth));
  const out = heads(
    splitHeads(scaled, qLayout, count, [0, 2, 1, 3]),
    splitHeads(k, kLayout, count, [0, 2, 3, 1]),
    splitHeads(v, kLayout, count, [0, 2, 1, 3]),
    biasTensor(qLayout, kLayout, kOffsets, options),
    maskTensor(qLayout, qOffsets, kLayout, options),
  );
  const grid = tf.reshape<tf.Rank.R4>(out, [qLayout.sentences, count, qLayout.length, headWidth]);
  const rows = tf.reshape<tf.Rank.R2>(tf.transpose(grid, [0, 2, 1, 3]), [-1, q.shape[1]]);
  return unpadRows(rows, qLayout);
}

/** [T, d] → [B · heads, …] with the axes (sentence, position, head, width) in the order `perm`. */
export function splitHeads(x: tf.Tensor2D, layout: Layout, heads: number, perm: number[]): tf.Tensor3D {
  const shape = [layout.sentences, layout.length, heads, x.shape[1] / heads] as [
    number,
    number,
    number,
    number,
  ];
  const grid = tf.transpose(tf.reshape<tf.Rank.R4>(padRows(x, layout), shape), perm);
  return tf.reshape(grid, [layout.sentences * heads, shape[perm[2]], shape[perm[3]]]);
}

const plainHeads: Heads = (q, kT, v, bias, mask) => {
  const scores = tf.matMul(q, kT);
  const weights = tf.softmax(bias === null ? scores : tf.add(scores, bias));
  return tf.matMul(mask === null ? weights : tf.mul(weights, mask), v) as tf.Tensor3D;
};

const swap = (x: tf.Tensor3D): tf.Tensor3D => tf.transpose(x, [0, 2, 1]);

const fusedHeads: Heads = (q, kT, v, bias, mask) =>
  withGradient<tf.Tensor3D>([q, kT, v], (keep) => {
    const scores = tf.matMul(q, kT);
    const weights = tf.softmax(bias === null ? scores : tf.add(scores, bias)) as tf.Tensor3D;
    const [savedQ, savedK, savedV, savedWeights] = [keep(q), keep(kT), keep(v), keep(weights)];
    const savedMask = mask === null ? null : keep(mask);
    return {
      value: tf.matMul(mask === null ? weights : tf.mul(weights, mask), v) as tf.Tensor3D,
      gradient: (dy) => {
        const p = savedWeights();
        const m = savedMask?.();
        const dropped = m === undefined ? p : tf.mul<tf.Tensor3D>(p, m);
        const dv = tf.matMul(swap(dropped), dy);
        const dDropped = tf.matMul(dy, swap(savedV()));
        const weighted = tf.mul(m === undefined ? dDropped : tf.mul(dDropped, m), p);
        const dScores = tf.sub(weighted, tf.mul(tf.sum(weighted, -1, true), p)) as tf.Tensor3D;
        return [tf.matMul(dScores, swap(savedK())), tf.matMul(swap(savedQ()), dScores), dv];
      },
    };
  });

/** −∞ at keys that a query may not see, 0 elsewhere; null where every query sees every key of the grid. */
export function biasTensor(
  qLayout: Layout,
  kLayout: Layout,
  kOffsets: Int32Array,
  { heads, causal }: Pick<AttentionOptions, 'heads' | 'causal'>,
): tf.Tensor3D | null {
  if (!causal && kLayout.rows === kLayout.toGrid.length) return null;
  const [queries, keys] = [qLayout.length, kLayout.length];
  const values = new Float32Array(qLayout.sentences * heads * queries * keys);
  for (let block = 0; block < qLayout.sentences * heads; block++) {
    const sentence = Math.floor(block / heads);
    const size = kOffsets[sentence + 1] - kOffsets[sentence];
    for (let i = 0; i < queries; i++) {
      const start = (block * queries + i) * keys;
      values.fill(Number.NEGATIVE_INFINITY, start + Math.min(size, causal ? i + 1 : size), start + keys);
    }
  }
  return tf.tensor3d(values, [qLayout.sentences * heads, queries, keys]);
}

function maskTensor(
  qLayout: Layout,
  qOffsets: Int32Array,
  kLayout: Layout,
  { heads, dropout, key }: AttentionOptions,
): tf.Tensor3D | null {
  if (key === null || dropout === 0) return null;
  const [queries, keys] = [qLayout.length, kLayout.length];
  const stride = Math.ceil(keys / 4) * 4;
  const indexOf = (cell: number): number => {
    const j = cell % keys;
    const i = Math.floor(cell / keys) % queries;
    const block = Math.floor(cell / (keys * queries));
    const row = qOffsets[Math.floor(block / heads)] + i;
    return (row * heads + (block % heads)) * stride + j;
  };
  const size = qLayout.sentences * heads * queries * keys;
  const values = dropoutMask(size, dropout, key, indexOf);
  return tf.tensor3d(values, [qLayout.sentences * heads, queries, keys]);
}
