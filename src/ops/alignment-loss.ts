import { type GuidedAttention, lossInMemory, type RowsInMemory } from './alignment-in-memory.js';
import { type HeadRows, tensorOf } from './attention.js';
import { type HeadGrids, headGrids } from './attention-weights.js';
import { floatsOf, memoryOf } from './in-place.js';
import { layoutOf } from './padding.js';
import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

/** Which queries are to attend to which keys: one of each for every link. */
export interface WeightedLinks {
  /** Rows of q. */
  readonly rows: Int32Array;
  /** Places in the key sentence, from 0. */
  readonly columns: Int32Array;
  readonly weights: Float32Array;
}

/** Of heads that there are, the one to look at, from 0; null takes the mean of all. */
export interface HeadChoice {
  heads: number;
  head: number | null;
}

/** Keeps the logarithm of an attention finite, as Marian does (layers/guided_alignment.h). */
const EPSILON = 1e-6;

/**
 * Cross-entropy of links and attention, Σ over links −weight · ln(a + ε), where a is softmax(q·kᵀ / √(d / heads)) of one
 * head, or the mean of all: what fairseq's label_smoothed_cross_entropy_with_alignment adds to the loss (Garg et al. 2019,
 * section 4.2), but for ε. `attention` never has all weights, so they are computed again, of the one layer that is asked for.
 *
 * Where tensors lie in the memory of the process, that is a loop over the queries that have links; else it is a composite.
 *
 * @param q [Tq, d], or columns of a wider tensor; rows after the last sentence are passed over
 * @param k [Tk, d], likewise
 * @param qOffsets [B + 1]
 * @param kOffsets [B + 1]; every sentence has at least one key
 * @param width d
 */
export function alignmentLoss(
  q: HeadRows,
  k: HeadRows,
  qOffsets: Int32Array,
  kOffsets: Int32Array,
  links: WeightedLinks,
  choice: HeadChoice,
  width: number,
): tf.Scalar {
  const [queries, keys] = [q, k].map(inMemory);
  if (queries === undefined || keys === undefined || tensorOf(q) === tensorOf(k))
    return compose(ownGradient, q, k, qOffsets, kOffsets, links, choice, width);
  const { heads, head } = choice;
  return fromMemory(tensorOf(q), tensorOf(k), {
    ...{ q: queries, k: keys, qOffsets, kOffsets, links, epsilon: EPSILON },
    heads: head === null ? Array.from({ length: heads }, (_, i) => i) : [head],
    headWidth: width / heads,
  });
}

/** The same, differentiated by tfjs's autodiff: the oracle of `alignmentLoss`. */
export function alignmentLossReference(...given: Parameters<typeof alignmentLoss>): tf.Scalar {
  return compose(autodiff, ...given);
}

/** The rows where they lie; undefined where they cannot be touched. */
function inMemory(rows: HeadRows): RowsInMemory | undefined {
  const tensor = tensorOf(rows);
  const values = memoryOf(tensor);
  const column = 'tensor' in rows ? rows.column : 0;
  return values && { values, column, stride: tensor.shape[1] };
}

/** Keeps q and k. */
function fromMemory(q: tf.Tensor2D, k: tf.Tensor2D, attention: GuidedAttention): tf.Scalar {
  return withGradient<tf.Scalar>([q, k], (keep) => {
    const saved = [keep(q), keep(k)];
    return {
      value: tf.scalar(lossInMemory(attention)),
      gradient: (dy) => {
        const [ofQ, ofK] = saved.map((get) => floatsOf(get()));
        const slopes = {
          ...{ q: new Float32Array(q.size), k: new Float32Array(k.size) },
          factor: floatsOf(dy)[0],
        };
        const again = { q: { ...attention.q, values: ofQ }, k: { ...attention.k, values: ofK } };
        lossInMemory({ ...attention, ...again }, slopes);
        return [tf.tensor(slopes.q, q.shape), tf.tensor(slopes.k, k.shape)];
      },
    };
  });
}

/** The loss from the queries and keys of heads. @param wanted the weights of links in their places, [B, Lq, Lk] */
type Loss = (grids: HeadGrids, wanted: tf.Tensor3D) => tf.Scalar;

function compose(
  loss: Loss,
  ...[q, k, qOffsets, kOffsets, links, choice, width]: Parameters<typeof alignmentLoss>
): tf.Scalar {
  return tf.tidy(() => {
    const grids = headGrids(q, k, qOffsets, kOffsets, choice, width);
    return loss(grids, wantedOf(links, qOffsets, kOffsets));
  });
}

function wantedOf({ rows, columns, weights }: WeightedLinks, qOffsets: Int32Array, kOffsets: Int32Array) {
  const [queries, keys] = [layoutOf(qOffsets), layoutOf(kOffsets)];
  const wanted = new Float32Array(queries.sentences * queries.length * keys.length);
  rows.forEach((row, i) => {
    wanted[queries.toPacked[row] * keys.length + columns[i]] += weights[i];
  });
  return tf.tensor3d(wanted, [queries.sentences, queries.length, keys.length]);
}

/** What each head attends to, [B · heads, Lq, Lk]. */
function softmaxOf({ queries, keys, bias }: HeadGrids): tf.Tensor3D {
  const scores = tf.matMul(queries, keys);
  return tf.softmax(bias === null ? scores : tf.add(scores, bias)) as tf.Tensor3D;
}

/** [B · heads, Lq, Lk] → [B, Lq, Lk] */
const meanOf = (weights: tf.Tensor3D, shape: HeadGrids['shape']): tf.Tensor3D =>
  tf.div(tf.sum(tf.reshape(weights, shape), 1), shape[1]);

const autodiff: Loss = (grids, wanted) => {
  const weights = meanOf(softmaxOf(grids), grids.shape);
  return tf.neg(tf.sum(tf.mul(wanted, tf.log(tf.add(weights, EPSILON)))));
};

const swap = (x: tf.Tensor3D): tf.Tensor3D => tf.transpose(x, [0, 2, 1]);

/** Keeps queries, keys, what each head attends to, and where the links are. */
const ownGradient: Loss = (grids, wanted) => {
  const { queries, keys, shape } = grids;
  const [sentences, heads, height, length] = shape;
  return withGradient<tf.Scalar>([queries, keys], (keep) => {
    const weights = softmaxOf(grids);
    const value = tf.neg<tf.Scalar>(tf.sum(tf.mul(wanted, tf.log(tf.add(meanOf(weights, shape), EPSILON)))));
    const [savedQ, savedK, savedWeights, savedWanted] = [
      keep(queries),
      keep(keys),
      keep(weights),
      keep(wanted),
    ];
    return {
      value,
      gradient: (dy) => {
        const p = savedWeights();
        const ratio = tf.div(savedWanted(), tf.add(meanOf(p, shape), EPSILON));
        const ofMean = tf.mul(ratio, tf.div(dy, -heads));
        const grid = tf.reshape(p, shape);
        const weighted = tf.mul(tf.reshape(ofMean, [sentences, 1, height, length]), grid);
        const dScores = tf.reshape<tf.Rank.R3>(
          tf.sub(weighted, tf.mul(tf.sum(weighted, -1, true), grid)),
          p.shape,
        );
        return [tf.matMul(dScores, swap(savedK())), tf.matMul(swap(savedQ()), dScores)];
      },
    };
  });
};
