import { placesOf } from '../common/places.js';
import type { Precision } from '../common/precision.js';
import { pack } from '../data/batch.js';
import { embedding } from '../ops/embedding.js';
import { type ColumnLists, pickColumns } from '../ops/pick-columns.js';
import { PreparedLinear } from '../ops/prepared-linear.js';
import { tf } from '../ops/tf.js';

/**
 * The target ids that a translation of a source may have, ascending and without repetition, the four special symbols
 * among them.
 */
export type Candidates = (source: Int32Array) => Int32Array;

/** A row of logits is a multiple of this long, whatever the longest list of the batch is: sums have the same bits then. */
const BLOCK = 16;

/**
 * The output projection of a batch whose sentences have each some target ids of their own. The product is computed for
 * the ids of all sentences together, and a row goes on with the logits of its own sentence alone: what stands beside it
 * changes nothing.
 */
export class RestrictedOutput {
  private readonly linear: PreparedLinear;
  private readonly ids: readonly Int32Array[];
  private readonly lists: ColumnLists;
  /** Of the whole vocabulary. */
  private readonly size: number;

  /**
   * @param weight of the whole projection, [V, d]
   * @param ids of each sentence
   * @param bias of the whole projection, [V], where there is one
   */
  constructor(
    weight: tf.Tensor2D,
    ids: readonly Int32Array[],
    precision: Precision = 'float32',
    bias: tf.Tensor1D | null = null,
  ) {
    const [size] = weight.shape;
    this.size = size;
    const wanted = new Uint8Array(size);
    for (const list of ids) for (let j = 0; j < list.length; j++) wanted[list[j]] = 1;
    const union = placesOf(wanted);
    const columnOf = new Int32Array(size);
    for (let column = 0; column < union.length; column++) columnOf[union[column]] = column;
    const { tokens, offsets } = pack(ids);
    this.lists = { columns: tokens.map((id) => columnOf[id]), offsets };
    const rows = embedding(union, weight);
    const part =
      bias && tf.tidy(() => tf.reshape(embedding(union, tf.reshape(bias, [-1, 1])), [-1]) as tf.Tensor1D);
    this.linear = PreparedLinear.of(rows, part, precision);
    tf.dispose([rows, ...(part === null ? [] : [part])]);
    this.ids = ids;
  }

  /**
   * The logits of what each row's sentence may have, in ascending order of the ids, and −∞ after them.
   *
   * @param hidden [rows, d]
   * @param sentences which sentence each row is of
   * @param least how long a row of logits is at least
   */
  apply(hidden: tf.Tensor2D, sentences: Int32Array, least: number): tf.Tensor2D {
    const longest = this.ids.reduce((most, { length }) => Math.max(most, length), least);
    const width = BLOCK * Math.ceil(longest / BLOCK);
    return tf.tidy(() => pickColumns(this.linear.apply(hidden), this.lists, sentences, width));
  }

  /** The id of a place in the logits of a sentence; after the last it is that, which is impossible there. */
  idAt(sentence: number, place: number): number {
    const ids = this.ids[sentence];
    return ids[Math.min(place, ids.length - 1)];
  }

  /**
   * Rows over the whole vocabulary, −∞ where a sentence has no such id.
   *
   * @param rows values in the places of `apply`
   * @param sentences which sentence each row is of
   */
  widen(rows: Float32Array, sentences: Int32Array): Float32Array {
    const width = rows.length / sentences.length;
    const wide = new Float32Array(sentences.length * this.size).fill(Number.NEGATIVE_INFINITY);
    sentences.forEach((sentence, row) => {
      this.ids[sentence].forEach((id, place) => {
        wide[row * this.size + id] = rows[row * width + place];
      });
    });
    return wide;
  }

  dispose(): void {
    this.linear.dispose();
  }
}
