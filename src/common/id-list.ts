/** Ids that are put one after the other into memory that grows with them. */
export class IdList {
  /** The ids, and room for more: another memory when there is no room. */
  values = new Int32Array(256);
  private count = 0;

  get length(): number {
    return this.count;
  }

  /** The last id; undefined where there is none. */
  get last(): number | undefined {
    return this.count === 0 ? undefined : this.values[this.count - 1];
  }

  push(id: number): void {
    if (this.count === this.values.length) this.reserve(1);
    this.values[this.count++] = id;
  }

  /** Adds ids[from], …, ids[to − 1]. */
  append(ids: ArrayLike<number>, from = 0, to = ids.length): void {
    if (this.count + to - from > this.values.length) this.reserve(to - from);
    for (let i = from; i < to; i++) this.values[this.count++] = ids[i];
  }

  /** The ids from a place on; a view that is good until the next one is added. */
  view(from = 0): Int32Array {
    return this.values.subarray(from, this.count);
  }

  /** Forgets the ids from a place on. */
  cut(length: number): void {
    this.count = length;
  }

  private reserve(more: number): void {
    let size = 2 * this.values.length;
    while (size < this.count + more) size *= 2;
    const grown = new Int32Array(size);
    grown.set(this.view());
    this.values = grown;
  }
}
