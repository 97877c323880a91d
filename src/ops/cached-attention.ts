import { attention, columnsOf, type HeadRows } from './attention.js';
import { hasKernel, runFused } from './kernels.js';
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
 * share a past share its keys, so reordering hypotheses moves lists of numbers and no keys.
 */
export class KeyValueStore {
  private readonly width: number;
  private readonly keys: RowStore;
  private readonly values: RowStore;

  /** @param width d, of keys and values */
  constructor(width: number) {
    this.width = width;
    this.keys = new RowStore(width);
    this.values = new RowStore(width);
  }

  /** Stores keys and values [n, d] from place `first` on; what was stored behind them is gone. The store grows as needed. */
  put(first: number, keys: HeadRows, values: HeadRows): void {
    this.keys.put(first, keys);
    this.values.put(first, values);
  }

  /** Moves what is at `places[i]` to place i. @param places ascending */
  compact(places: Int32Array): void {
    this.keys.compact(places);
    this.values.compact(places);
  }

  /**
   * softmax(q·kᵀ/√(d/heads))·v of each row over the keys it sees.
   *
   * @param queries [rows, d]
   * @returns [rows, d], the heads side by side
   */
  attend(queries: HeadRows, seen: Seen, heads: number): tf.Tensor2D {
    if (!hasKernel('CachedAttention')) return this.attendReference(queries, seen, heads);
    const { tensor, column } = placed(queries);
    const inputs = { queries: tensor, keys: this.keys.rows, values: this.values.rows };
    return runFused('CachedAttention', inputs, { heads, column, ...seen })[0] as tf.Tensor2D;
  }

  /** The same as attention to copies of the keys that each row sees: the oracle of the fused one. */
  attendReference(queries: HeadRows, { places, offsets }: Seen, heads: number): tf.Tensor2D {
    return tf.tidy(() => {
      const which = tf.tensor1d(places, 'int32');
      const [keys, values] = [this.keys, this.values].map(({ rows }) => tf.gather<tf.Tensor2D>(rows, which));
      const each = Int32Array.from(offsets.keys());
      const options = { heads, causal: false, dropout: 0, key: null };
      return attention(columnsOf(queries, this.width), keys, values, each, offsets, options);
    });
  }

  dispose(): void {
    this.keys.dispose();
    this.values.dispose();
  }
}

/** Rows in memory of the backend, [P, d]. Where it can write into them there is room for more at their end. */
class RowStore {
  /** Owned by this object. */
  rows: tf.Tensor2D;
  private readonly width: number;

  constructor(width: number) {
    this.width = width;
    this.rows = tf.keep(tf.zeros([0, width]));
  }

  put(first: number, rows: HeadRows): void {
    const { tensor, column } = placed(rows);
    if (!hasKernel('StoreRows')) {
      const own = () =>
        tf.concat([tf.slice(this.rows, [0, 0], [first, this.width]), columnsOf(rows, this.width)]);
      this.replace(tf.tidy(own));
      return;
    }
    const [there, needed] = [this.rows.shape[0], first + tensor.shape[0]];
    if (needed > there) {
      this.replace(grown(this.rows, Math.max(needed, 2 * there)));
    }
    runFused('StoreRows', { rows: tensor, stored: this.rows }, { column, first, from: null });
  }

  compact(from: Int32Array): void {
    const { rows } = this;
    if (hasKernel('StoreRows')) runFused('StoreRows', { rows, stored: rows }, { column: 0, first: 0, from });
    else this.replace(tf.tidy(() => tf.gather(rows, tf.tensor1d(from, 'int32'))));
  }

  dispose(): void {
    this.rows.dispose();
  }

  private replace(rows: tf.Tensor2D): void {
    this.rows.dispose();
    this.rows = tf.keep(rows);
  }
}

/** Rows with room for more behind them, [size, d]. */
function grown(rows: tf.Tensor2D, size: number): tf.Tensor2D {
  if (hasKernel('GrowRows')) return runFused('GrowRows', { rows }, { size })[0] as tf.Tensor2D;
  const larger = tf.fill<tf.Rank.R2>([size, rows.shape[1]], 0);
  runFused('StoreRows', { rows, stored: larger }, { column: 0, first: 0, from: null });
  return larger;
}

function placed(rows: HeadRows): { tensor: tf.Tensor2D; column: number } {
  return 'tensor' in rows ? rows : { tensor: rows, column: 0 };
}
