/**
 * Attention of a decoding step: each row has one query, and a list of the stored keys that it sees. Rows that
 * share a past share its keys, so reordering hypotheses moves lists of numbers and no keys. Everything is plain
 * memory: a step's queries are few and each sees other keys, which leaves a backend with copies to make and little
 * to multiply.
 */
export class KeyValueStore {
  private readonly width: number;
  private keys = new Float32Array(0);
  private values = new Float32Array(0);

  /** @param width d, of keys and values */
  constructor(width: number) {
    this.width = width;
  }

  /**
   * Stores keys and values [n, d] from place `first` on. The store grows as needed.
   */
  put(first: number, keys: Float32Array, values: Float32Array): void {
    const needed = first * this.width + keys.length;
    if (needed > this.keys.length) {
      const size = Math.max(needed, 2 * this.keys.length);
      this.keys = grown(this.keys, size);
      this.values = grown(this.values, size);
    }
    this.keys.set(keys, first * this.width);
    this.values.set(values, first * this.width);
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
   * @param seen for each row the places of its keys, at least one
   * @returns [rows, d], the heads side by side
   */
  attend(queries: Float32Array, seen: readonly ArrayLike<number>[], heads: number): Float32Array {
    const headWidth = this.width / heads;
    const out = new Float32Array(queries.length);
    const weights = new Float64Array(Math.max(...seen.map(({ length }) => length)));
    seen.forEach((places, row) => {
      for (let head = 0; head < heads; head++) {
        const start = row * this.width + head * headWidth;
        this.weigh(queries, start, places, head * headWidth, headWidth, weights);
        this.mix(weights, places, head * headWidth, headWidth, out, start);
      }
    });
    return out;
  }

  /** Attention weights of one head of one row: a softmax over the scores of its keys. */
  private weigh(
    queries: Float32Array,
    start: number,
    places: ArrayLike<number>,
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
    places: ArrayLike<number>,
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

function grown(values: Float32Array, size: number): Float32Array<ArrayBuffer> {
  const larger = new Float32Array(size);
  larger.set(values);
  return larger;
}
