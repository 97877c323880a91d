import type { HeadRows } from './attention.js';
import { isFused, runFused } from './kernels.js';
import { tf } from './tf.js';

/** The stored keys that each row sees: row i those at places[offsets[i] … offsets[i + 1]), at least one. */
export interface Seen {
  places: Int32Array;
  offsets: Int32Array;
}

/** The same from a list for each row. */
export function seenBy(lists: readonly ArrayLike<number>[]): Seen {
  const offsets = new Int32Array(lists.length + 1);
  lists.forEach(({ length }, i) => {
    offsets[i + 1] = offsets[i] + length;
  });
  const places = new Int32Array(offsets[lists.length]);
  lists.forEach((list, i) => {
    places.set(list, offsets[i]);
  });
  return { places, offsets };
}

/**
 * Attention of a decoding step: each row has one query, and a list of the stored keys that it sees. Rows that
 * share a past share its keys, so reordering hypotheses moves lists of numbers and no keys. Keys and values are plain
 * memory: a step's queries are few and each sees other keys, which leaves a general backend with copies to make and
 * little to multiply.
 */
export class KeyValueStore {
  private readonly width: number;
  private keys = new Float32Array(0);
  private values = new Float32Array(0);

  /** @param width d, of keys and values */
  constructor(width: number) {
    this.width = width;
  }

  /** Stores keys and values [n, d] from place `first` on. The store grows as needed. */
  put(first: number, keys: HeadRows, values: HeadRows): void {
    const needed = (first + placed(keys).tensor.shape[0]) * this.width;
    if (needed > this.keys.length) {
      const size = Math.max(needed, 2 * this.keys.length);
      this.keys = grown(this.keys, size);
      this.values = grown(this.values, size);
    }
    this.store(keys, this.keys, first);
    this.store(values, this.values, first);
  }

  /** Moves what is at `places[i]` to place i. @param places ascending */
  compact(places: Int32Array): void {
    const { width } = this;
    places.forEach((from, to) => {
      this.keys.copyWithin(to * width, from * width, (from + 1) * width);
      this.values.copyWithin(to * width, from * width, (from + 1) * width);
    });
  }

  /**
   * softmax(q·kᵀ/√(d/heads))·v of each row over the keys it sees.
   *
   * @param queries [rows, d]
   * @returns [rows, d], the heads side by side
   */
  attend(queries: HeadRows, seen: Seen, heads: number): tf.Tensor2D {
    return isFused() ? this.attendFused(queries, seen, heads) : this.attendReference(queries, seen, heads);
  }

  /** The same in plain loops: the oracle of the fused one. */
  attendReference(queries: HeadRows, { places, offsets }: Seen, heads: number): tf.Tensor2D {
    const headWidth = this.width / heads;
    const values = this.rowsOf(queries);
    const out = new Float32Array(values.length);
    for (let row = 0; row + 1 < offsets.length; row++) {
      const seen = places.subarray(offsets[row], offsets[row + 1]);
      const weights = new Float64Array(seen.length);
      for (let head = 0; head < heads; head++) {
        const start = row * this.width + head * headWidth;
        this.weigh(values, start, seen, head * headWidth, headWidth, weights);
        this.mix(weights, seen, head * headWidth, headWidth, out, start);
      }
    }
    return tf.tensor2d(out, [offsets.length - 1, this.width]);
  }

  private attendFused(rows: HeadRows, seen: Seen, heads: number): tf.Tensor2D {
    const { tensor: queries, column } = placed(rows);
    const { keys, values, width } = this;
    return runFused(
      'CachedAttention',
      { queries },
      { heads, width, column, keys, values, ...seen },
    )[0] as tf.Tensor2D;
  }

  private store(rows: HeadRows, stored: Float32Array, first: number): void {
    const { width } = this;
    if (isFused()) {
      const { tensor, column } = placed(rows);
      runFused('StoreRows', { rows: tensor }, { column, width, stored, first });
    } else {
      stored.set(this.rowsOf(rows), first * width);
    }
  }

  /** The values of rows, one after another. */
  private rowsOf(rows: HeadRows): Float32Array {
    const { tensor, column } = placed(rows);
    const [count, stride] = tensor.shape;
    const values = tensor.dataSync() as Float32Array;
    const { width } = this;
    if (stride === width) return values;
    const out = new Float32Array(count * width);
    for (let row = 0; row < count; row++) {
      const start = row * stride + column;
      out.set(values.subarray(start, start + width), row * width);
    }
    return out;
  }

  /** Attention weights of one head of one row: a softmax over the scores of its keys. */
  private weigh(
    queries: Float32Array,
    start: number,
    places: Int32Array,
    offset: number,
    headWidth: number,
    weights: Float64Array,
  ): void {
    const { keys, width } = this;
    const scale = 1 / Math.sqrt(headWidth);
    let top = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < places.length; j++) {
      const key = places[j] * width + offset;
      let product = 0;
      for (let i = 0; i < headWidth; i++) product += queries[start + i] * keys[key + i];
      weights[j] = product * scale;
      if (weights[j] > top) top = weights[j];
    }
    let sum = 0;
    for (let j = 0; j < places.length; j++) {
      weights[j] = Math.exp(weights[j] - top);
      sum += weights[j];
    }
    for (let j = 0; j < places.length; j++) weights[j] /= sum;
  }

  /** Σ weight · value of one head of one row, added to `out` from `start` on. */
  private mix(
    weights: Float64Array,
    places: Int32Array,
    offset: number,
    headWidth: number,
    out: Float32Array,
    start: number,
  ): void {
    const { values, width } = this;
    for (let j = 0; j < places.length; j++) {
      const weight = weights[j];
      const value = places[j] * width + offset;
      for (let i = 0; i < headWidth; i++) out[start + i] += weight * values[value + i];
    }
  }
}

function placed(rows: HeadRows): { tensor: tf.Tensor2D; column: number } {
  return 'tensor' in rows ? rows : { tensor: rows, column: 0 };
}

function grown(values: Float32Array, size: number): Float32Array<ArrayBuffer> {
  const larger = new Float32Array(size);
  larger.set(values);
  return larger;
}
