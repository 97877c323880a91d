/** Least bytes of a buffer: all sizes are multiples of VIEW_STEP. */
const LEAST = 1024;

/** Bytes of the buffer for so many: of each power of two there are four sizes, so that at most a fifth is left over. */
export function classOf(bytes: number): number {
  if (bytes <= LEAST) return LEAST;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / step) * step;
}

interface Free {
  id: number;
  /** The batch in which it was given back. */
  since: number;
}

/** Where a pool has its buffers from. */
export interface BufferSource {
  /** @returns the id of a new buffer */
  create(bytes: number): number;
  destroy(id: number): void;
  /** Waits until the device has done all that it was sent: what was destroyed is free then. */
  settle(): void;
  /** Begins anew on a device that holds nothing; what was to be done is not. */
  restart(): Promise<void>;
  /** The batch that is being written. */
  readonly batch: number;
}

/**
 * Buffers of the device. What is given back goes to those that ask for its size. Memory is counted as it is on the
 * device: whole buffers, those that are free included in `resident`. Those of many sizes would be more than the largest
 * batch needs, so they go back to the system before more than `limit` is held.
 */
export class Pool {
  private readonly source: BufferSource;
  private readonly sizes = new Map<number, number>();
  /**
   * By size, the lowest id first, which is the next to be taken: whatever order they came back in, the same work gets the
   * same buffers, and the thread of the device finds how it has bound them before.
   */
  private readonly free = new Map<number, Free[]>();
  readonly ofCard = true;
  used = 0;
  peak = 0;
  resident = 0;
  limit = Infinity;

  constructor(source: BufferSource) {
    this.source = source;
  }

  /**
   * @param untouched whether no dispatch of this batch may have used it before
   * @returns the id of a buffer of at least so many bytes
   */
  take(bytes: number, untouched = false): number {
    const size = classOf(bytes);
    const list = this.free.get(size) ?? [];
    let place = 0;
    if (untouched) while (place < list.length && list[place].since >= this.source.batch) place++;
    const id = place === list.length ? this.create(size) : list.splice(place, 1)[0].id;
    this.used += size;
    this.peak = Math.max(this.peak, this.used);
    return id;
  }

  /** A buffer that nobody has used, all zeros, of exactly so many bytes. */
  fresh(bytes: number): number {
    this.used += bytes;
    this.peak = Math.max(this.peak, this.used);
    return this.create(bytes);
  }

  /** Whether a buffer is there: not where the device was begun anew. */
  holds(id: number): boolean {
    return this.sizes.has(id);
  }

  /** Gives a buffer back to the system. */
  discard(id: number): void {
    const size = this.sizes.get(id);
    if (size === undefined) return; // it was lost
    this.used -= size;
    this.forget(id, size);
  }

  give(id: number): void {
    const size = this.sizes.get(id);
    if (size === undefined) return; // it was lost
    this.used -= size;
    const list = this.free.get(size) ?? [];
    this.free.set(size, list);
    let place = list.length;
    while (place > 0 && list[place - 1].id > id) place--;
    list.splice(place, 0, { id, since: this.source.batch });
  }

  resetPeak(): void {
    this.peak = this.used;
  }

  /** Gives what is free back to the system. */
  trim(): void {
    for (const [size, list] of this.free) {
      for (const { id } of list) this.forget(id, size);
    }
    this.free.clear();
  }

  async restart(): Promise<void> {
    await this.source.restart();
    this.sizes.clear();
    this.free.clear();
    this.used = this.peak = this.resident = 0;
  }

  private forget(id: number, size: number): void {
    this.source.destroy(id);
    this.sizes.delete(id);
    this.resident -= size;
  }

  private create(size: number): number {
    if (this.resident + size > this.limit && this.resident > this.used) {
      this.trim();
      this.source.settle(); // else there would be both for a while
    }
    const id = this.source.create(size);
    this.sizes.set(id, size);
    this.resident += size;
    return id;
  }
}
