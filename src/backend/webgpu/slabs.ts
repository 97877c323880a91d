import type { Encoder } from './encoder.js';
import type { Pool } from './pool.js';
import { VIEW_STEP } from './protocol.js';

/** Floats between the places where tensors may start. */
const STEP = VIEW_STEP / 4;

/** Lists of gradients that have places at a time: the sum of those before, and those of the batch. */
const LISTS = 2;

/** A buffer in which the tensors of a list lie one behind another, and places for gradients of them. */
interface Slab {
  buffer: number;
  floats: number;
  /** Tensors in it, and gradients of them. */
  live: number;
  /** Buffers with the same places. */
  gradients: Slab[];
  /** Of gradients: those that there are, by the place that they are of, or of a part of. */
  taken: Map<number, Place[]>;
  /** Of gradients: what they are gradients of. */
  parent: Slab | null;
}

/** Where a tensor lies in a slab, in floats. */
export interface Place {
  slab: Slab;
  start: number;
  size: number;
  /** Where the tensor starts that this is, or is a part of. */
  whole: number;
}

const floatsOf = (bytes: number): number => Math.floor(bytes / VIEW_STEP) * STEP;
const roundedUp = (size: number): number => Math.ceil(Math.max(1, size) / STEP) * STEP;

/** Whether a tensor begins where another one ends. */
export const follows = (next: Place | undefined, before: Place | undefined): boolean =>
  next !== undefined &&
  before !== undefined &&
  next.slab === before.slab &&
  next.start === before.start + roundedUp(before.size);

/** The place of several tensors that lie one behind another within one of a list; null for others. */
export function joinedPlace(places: readonly (Place | undefined)[]): Place | null {
  const [first] = places;
  if (first === undefined) return null;
  let end = first.start;
  for (const place of places) {
    if (place?.slab !== first.slab || place.whole !== first.whole || place.start !== end) return null;
    end += place.size;
  }
  return { ...first, size: end - first.start };
}

/** A tensor on the device, and where it lies in the memory of a list. */
export interface Located {
  buffer: number;
  size: number;
  place: Place | undefined;
}

/** Buffers for `count` floats of several tensors, or of many that lie one behind another. */
export interface Run {
  ids: number[];
  count: number;
}

/** The memory of lists of tensors that are updated together: few programs take all of them. */
export class Slabs {
  private readonly pool: Pool;
  private readonly encoder: Encoder;
  private readonly limits: Readonly<{ buffer: number; binding: number }>;

  /** @param limits in bytes */
  constructor(pool: Pool, encoder: Encoder, limits: { buffer: number; binding: number }) {
    this.pool = pool;
    this.encoder = encoder;
    this.limits = limits;
  }

  /** Places for tensors of so many floats, in as few buffers as there can be. */
  layOut(sizes: readonly number[]): Place[] {
    const places: Place[] = [];
    const most = floatsOf(this.limits.buffer);
    for (let first = 0; first < sizes.length; ) {
      let floats = 0;
      let end = first;
      while (end < sizes.length && (end === first || floats + roundedUp(sizes[end]) <= most))
        floats += roundedUp(sizes[end++]);
      const slab = this.make(floats, null);
      let start = 0;
      for (const size of sizes.slice(first, end)) {
        places.push({ slab, start, size, whole: start });
        start += roundedUp(size);
      }
      slab.live = end - first;
      first = end;
    }
    return places;
  }

  /** A place for the gradient of what lies at a place; null where all are taken. */
  ofGradient({ slab, start, size, whole }: Place): Place | null {
    if (slab.parent !== null) return null; // a gradient of a gradient
    for (let list = 0; list < LISTS; list++) {
      slab.gradients[list] ??= this.make(slab.floats, slab);
      const there = slab.gradients[list].taken.get(whole) ?? [];
      if (there.some((other) => other.start < start + size && start < other.start + other.size)) continue;
      const place = { slab: slab.gradients[list], start, size, whole };
      slab.gradients[list].taken.set(whole, [...there, place]);
      slab.live++; // it outlives what has the same places
      return place;
    }
    return null;
  }

  /** The tensor at a place is gone. */
  leave(place: Place): void {
    const { slab, whole } = place;
    const there = slab.taken.get(whole) ?? [];
    slab.taken.set(
      whole,
      there.filter((other) => other !== place),
    );
    const { buffer, gradients, live } = slab.parent ?? slab;
    (slab.parent ?? slab).live = live - 1;
    if (live > 1) return;
    for (const id of [buffer, ...gradients.map((list) => list.buffer)]) this.pool.discard(id);
  }

  /**
   * Lists, the tensors of the same place in each of the same size, cut into as few runs as there can be, none of them
   * longer than a program can take.
   */
  runs(lists: readonly (readonly Located[])[]): Run[] {
    const runs: Run[] = [];
    const most = floatsOf(this.limits.binding);
    const [{ length }] = lists;
    for (let first = 0, end = 1; first < length; first = end++) {
      while (end < length && lists.every((list) => follows(list[end].place, list[end - 1].place))) end++;
      const last = lists[0][end - 1];
      const before = end - 1 === first ? 0 : last.place!.start - lists[0][first].place!.start;
      const count = before + last.size;
      for (let start = 0; start < count; start += most) {
        const size = Math.min(most, count - start);
        runs.push({ ids: lists.map((list) => this.window(list[first], start, size)), count: size });
      }
    }
    return runs;
  }

  /** A buffer, or a view of one, for some of the elements of a tensor. */
  window({ buffer, size: all, place }: Located, start: number, size: number): number {
    if (place !== undefined) return this.view({ ...place, start: place.start + start, size });
    return size === all ? buffer : this.encoder.view(buffer, 4 * start, 4 * size);
  }

  /** The buffer from a place on. */
  view({ slab, start, size }: Place): number {
    return this.encoder.view(slab.buffer, 4 * start, 4 * roundedUp(size));
  }

  private make(floats: number, parent: Slab | null): Slab {
    const buffer = this.pool.fresh(4 * floats); // of zeros, also between the tensors
    return { buffer, floats, live: 0, gradients: [], taken: new Map(), parent };
  }
}
