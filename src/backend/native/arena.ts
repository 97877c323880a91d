import type { Addon } from './binding.js';

/** Every tensor starts at a multiple of this many bytes. */
const ALIGNMENT = 64;
/**
 * Bytes of the first region. Each further one is as long as all before it together, so that there are few of them and
 * little at their ends that nothing fits into, while a small model asks for little.
 */
const FIRST_REGION = 2 ** 25;
/** Most bytes of a region, but for a tensor that is larger. */
const LARGEST_REGION = 2 ** 30;

/** Where an arena has its memory from. */
export type MemorySource = Pick<Addon, 'allocate' | 'discard'>;

/**
 * Memory for tensors. It lies in few large regions that are kept: addresses rather than memory, since the system gives a
 * page when it is first touched. A tensor gets the first free stretch that is long
 * enough, and what it gives back is joined with the free stretches beside it: batches of all sizes share the memory of
 * the largest, and the far ends of the regions are never touched.
 */
export class Arena {
  private readonly source: MemorySource;
  private readonly regions = new Map<ArrayBufferLike, Region>();
  /** It is of this process. */
  readonly ofCard = false;
  /** Bytes handed out and not given back. */
  used = 0;

  constructor(source: MemorySource) {
    this.source = source;
  }

  /** Memory for so many floats, not cleared. */
  floats(length: number): Float32Array {
    const { buffer, start } = this.take(4 * length);
    return new Float32Array(buffer, start, length);
  }

  /** Memory for so many integers, not cleared. */
  ints(length: number): Int32Array {
    const { buffer, start } = this.take(4 * length);
    return new Int32Array(buffer, start, length);
  }

  /** Whether memory is of this arena. */
  owns({ buffer }: ArrayBufferView): boolean {
    return this.regions.has(buffer);
  }

  /** Gives memory back; what is of no arena is left to the garbage collector. */
  release({ buffer, byteOffset }: ArrayBufferView): void {
    this.used -= this.regions.get(buffer)?.release(byteOffset) ?? 0;
  }

  /** Most bytes of memory in use since the last `resetPeak`, with the gaps in between. */
  get peak(): number {
    return this.sum((region) => region.peak);
  }

  /** Bytes of memory that this process holds for the arena: most in use since the last `trim`, gaps included. */
  get resident(): number {
    return this.sum((region) => region.touched);
  }

  resetPeak(): void {
    for (const region of this.regions.values()) region.resetPeak();
  }

  /** Gives the memory behind what is in use back to the system. */
  trim(): void {
    for (const region of this.regions.values()) {
      const { buffer, touched, end } = region;
      if (touched > end) this.source.discard(buffer, end, touched);
      region.resetPeak();
      region.touched = end;
    }
  }

  private take(bytes: number): { buffer: ArrayBuffer; start: number } {
    const size = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
    const { buffer, start } = this.place(size) ?? this.grow(size);
    this.used += size;
    return { buffer, start };
  }

  /** In a region that is there. */
  private place(size: number): { buffer: ArrayBuffer; start: number } | undefined {
    for (const { buffer, take } of this.regions.values()) {
      const start = take(size);
      if (start !== undefined) return { buffer, start };
    }
    return undefined;
  }

  /** In a new region: a smaller one where the system does not give so much. @throws what the source does */
  private grow(size: number): { buffer: ArrayBuffer; start: number } {
    const all = this.sum(({ buffer }) => buffer.byteLength);
    let wanted = Math.max(size, Math.min(LARGEST_REGION, Math.max(FIRST_REGION, all)));
    for (;;) {
      try {
        const region = new Region(this.source.allocate(wanted));
        this.regions.set(region.buffer, region);
        return { buffer: region.buffer, start: region.take(size)! };
      } catch (error) {
        if (wanted === size) throw error;
        wanted = Math.max(size, Math.floor(wanted / 2 / ALIGNMENT) * ALIGNMENT);
      }
    }
  }

  private sum(bytes: (region: Region) => number): number {
    return [...this.regions.values()].reduce((total, region) => total + bytes(region), 0);
  }
}

/** A free stretch of a region, in bytes from its start. */
interface Stretch {
  start: number;
  end: number;
}

class Region {
  readonly buffer: ArrayBuffer;
  /** End of the highest stretch taken since the last `resetPeak`. */
  peak = 0;
  /** End of the highest stretch taken since the last `trim` of the arena. */
  touched = 0;
  /** In the order of addresses; no two of them touch. */
  private readonly free: Stretch[];
  /** Bytes of what is taken, by its start. */
  private readonly taken = new Map<number, number>();

  constructor(buffer: ArrayBuffer) {
    this.buffer = buffer;
    this.free = [{ start: 0, end: buffer.byteLength }];
  }

  /** @returns where the first free stretch of so many bytes starts, if there is one; it is taken now */
  readonly take = (bytes: number): number | undefined => {
    const place = this.free.findIndex(({ start, end }) => end - start >= bytes);
    if (place === -1) return undefined;
    const stretch = this.free[place];
    const { start } = stretch;
    stretch.start += bytes;
    if (stretch.start === stretch.end) this.free.splice(place, 1);
    this.taken.set(start, bytes);
    this.peak = Math.max(this.peak, start + bytes);
    this.touched = Math.max(this.touched, this.peak);
    return start;
  };

  /** @returns the bytes of the stretch at `start`, which is free now; 0 where none is taken there */
  release(start: number): number {
    const bytes = this.taken.get(start);
    if (bytes === undefined) return 0;
    this.taken.delete(start);
    const end = start + bytes;
    const place = this.placeAfter(start);
    const [before, after] = [this.free[place - 1], this.free[place]];
    const joins = { before: before?.end === start, after: after?.start === end };
    if (joins.before && joins.after) {
      before.end = after.end;
      this.free.splice(place, 1);
    } else if (joins.before) before.end = end;
    else if (joins.after) after.start = start;
    else this.free.splice(place, 0, { start, end });
    return bytes;
  }

  /** End of the highest stretch that is taken now. */
  get end(): number {
    const { byteLength } = this.buffer;
    const last = this.free.at(-1);
    return last?.end === byteLength ? last.start : byteLength;
  }

  resetPeak(): void {
    this.peak = this.end;
  }

  /** Place of the first free stretch behind an address. */
  private placeAfter(address: number): number {
    let [low, high] = [0, this.free.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.free[middle].start > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
