import type { Pieces } from '../common/pieces.js';
import { Purpose, RandomStream } from '../common/rng.js';
import type { BatchCuts } from './batch-cuts.js';

export interface EpochOptions {
  seed: number;
  /** From 1. */
  epoch: number;
  /** Which of `worldSize` processes this is, from 0. */
  rank: number;
  worldSize: number;
  /** False keeps the batches in the order of their lengths, the same in every epoch. */
  shuffle: boolean;
}

/** Pairs that are looked at before the process may look at something else: about a tenth of a second. */
const PIECE = 1 << 19;
/** Bytes that planning takes for each pair, of which a third stays. */
const PLANNING_BYTES = 12;

/** Most bytes that the plans of a training hold. */
export function planBytes({ sourceLengths }: BatchCuts['lengths']): number {
  return PLANNING_BYTES * sourceLengths.length;
}

/** The batches of one rank in an epoch, in their order. */
export class EpochPlan {
  private readonly pairs: Int32Array;
  private readonly cuts: BatchCuts;
  private readonly order: Int32Array;

  /**
   * @param pairs indices of pairs in the order that the cuts are of
   * @param order which of the cuts this epoch has, one after another
   */
  constructor(pairs: Int32Array, cuts: BatchCuts, order: Int32Array) {
    this.pairs = pairs;
    this.cuts = cuts;
    this.order = order;
  }

  /** Number of batches. */
  get length(): number {
    return this.order.length;
  }

  /** Indices of the pairs of a batch; it must not be changed. @param position in the epoch, from 0 */
  batch(position: number): Int32Array {
    const cut = this.order[position];
    return this.pairs.subarray(this.cuts.starts[cut], this.cuts.starts[cut + 1]);
  }

  *[Symbol.iterator](): Generator<Int32Array, void, undefined> {
    for (let position = 0; position < this.length; position++) yield this.batch(position);
  }
}

/**
 * Plans an epoch: a function of its arguments alone. Pairs go by target length, then source length, ties at random;
 * the batches that they are cut into are shuffled and dealt out to the ranks in turn, so that one rank has at most one
 * batch more than another.
 */
export function* planEpoch(cuts: BatchCuts, options: EpochOptions): Pieces<EpochPlan> {
  const pairs = yield* pairsWithCells(cuts);
  if (options.shuffle) yield* shufflePairs(pairs, streamOf(options, 0));
  const places = cuts.cellStarts.slice();
  const ordered = new Int32Array(cuts.pairs);
  for (let start = 0; start < pairs.length; start += 2 * PIECE) {
    if (start > 0) yield;
    putInOrder(pairs.subarray(start, start + 2 * PIECE), places, ordered);
  }
  return new EpochPlan(cuts.name(ordered), cuts, orderOfBatches(cuts, options));
}

/** Which cuts the epoch of a rank has, in its order. */
export function orderOfBatches(cuts: BatchCuts, options: EpochOptions): Int32Array {
  const all = Int32Array.from({ length: cuts.length }, (_, cut) => cut);
  if (options.shuffle) streamOf(options, 1).shuffle(all);
  return all.filter((_, i) => i % options.worldSize === options.rank);
}

/** Random numbers of the order of an epoch: 0 of its pairs, 1 of its batches. */
function streamOf({ seed, epoch }: EpochOptions, site: 0 | 1): RandomStream {
  return new RandomStream({ seed, step: epoch, purpose: Purpose.shuffle, site });
}

/**
 * The pairs that are not skipped, each with its cell: index, cell, index, … Side by side, so that the one is found where
 * the other is: what is at random places of memory takes most of the time of planning.
 */
function* pairsWithCells(cuts: BatchCuts): Pieces<Int32Array> {
  const { sourceLengths } = cuts.lengths;
  const pairs = new Int32Array(2 * cuts.pairs);
  let count = 0;
  for (let start = 0; start < sourceLengths.length; start += PIECE) {
    if (start > 0) yield;
    count = addPairs(cuts, start, Math.min(start + PIECE, sourceLengths.length), pairs, count);
  }
  return pairs;
}

function addPairs(cuts: BatchCuts, start: number, end: number, pairs: Int32Array, before: number): number {
  const { longest, table, lengths } = cuts;
  const { sourceLengths, targetLengths } = lengths;
  let count = before;
  for (let i = start; i < end; i++) {
    const [source, target] = [sourceLengths[i], targetLengths[i]];
    if (source > longest || target > longest) continue;
    pairs[count++] = i;
    pairs[count++] = table.cellOf(source, target);
  }
  return count;
}

/** Shuffles as RandomStream.shuffle does. */
function* shufflePairs(pairs: Int32Array, random: RandomStream): Pieces<void> {
  const most = pairs.length / 2 - 1;
  for (let last = most; last > 0; last -= PIECE) {
    if (last < most) yield;
    swapPairs(pairs, random, last, Math.max(last - PIECE, 0));
  }
}

function swapPairs(pairs: Int32Array, random: RandomStream, last: number, end: number): void {
  for (let i = last; i > end; i--) {
    const [own, other] = [2 * i, 2 * random.nextBelow(i + 1)];
    const [index, cell] = [pairs[own], pairs[own + 1]];
    pairs[own] = pairs[other];
    pairs[own + 1] = pairs[other + 1];
    pairs[other] = index;
    pairs[other + 1] = cell;
  }
}

/** @param places where the next pair of each cell goes */
function putInOrder(pairs: Int32Array, places: Int32Array, ordered: Int32Array): void {
  for (let at = 0; at < pairs.length; at += 2) ordered[places[pairs[at + 1]]++] = pairs[at];
}

/**
 * One batch of an epoch, found without its plan: what is shuffled is followed only where it is a pair of the same
 * lengths as those of the batch.
 *
 * @param position in the epoch, from 0; there must be such a batch
 */
export function batchOf(cuts: BatchCuts, options: EpochOptions, position: number): Int32Array {
  const cut = orderOfBatches(cuts, options)[position];
  const [start, end] = [cuts.starts[cut], cuts.starts[cut + 1]];
  const cells = cuts.cellsOf(start, end);
  const [first, last] = [cells[0], cells[cells.length - 1]];
  const followed = pairsOfCells(cuts, first, last);
  const shuffled = options.shuffle ? follow(followed, cuts.pairs, streamOf(options, 0)) : followed;
  const places = cuts.cellStarts.slice();
  const offset = places[first];
  const ordered = new Int32Array(places[last + 1] - offset);
  const { sourceLengths, targetLengths } = cuts.lengths;
  for (const index of shuffled.values()) {
    ordered[places[cuts.table.cellOf(sourceLengths[index], targetLengths[index])]++ - offset] = index;
  }
  return cuts.name(ordered.slice(start - offset, end - offset));
}

/** The pairs of some cells that follow each other, by their place among all that are not skipped. */
function pairsOfCells(cuts: BatchCuts, first: number, last: number): Map<number, number> {
  const { lengths, table } = cuts;
  const { sourceLengths, targetLengths } = lengths;
  const found = new Map<number, number>();
  let place = 0;
  for (let i = 0; i < sourceLengths.length; i++) {
    if (!cuts.fits(sourceLengths[i], targetLengths[i])) continue;
    const cell = table.cellOf(sourceLengths[i], targetLengths[i]);
    if (cell >= first && cell <= last) found.set(place, i);
    place++;
  }
  return found;
}

/** Where some of `length` items are after all of them were shuffled. @param items by their places, which rise */
function follow(
  items: ReadonlyMap<number, number>,
  length: number,
  random: RandomStream,
): Map<number, number> {
  const found = new Map(items);
  const bits = new Int32Array(Math.ceil(length / 32)); // of the places that have one of the items: few enough for a cache
  for (const place of items.keys()) bits[place >> 5] |= 1 << (place & 31);
  for (let i = length - 1; i > 0; i--) {
    const j = random.nextBelow(i + 1);
    if (((bits[i >> 5] >>> (i & 31)) & 1) + ((bits[j >> 5] >>> (j & 31)) & 1) === 0) continue;
    const [item, other] = [found.get(i), found.get(j)];
    put(i, other);
    put(j, item);
  }
  return new Map([...found].sort(([a], [b]) => a - b));

  function put(place: number, item: number | undefined): void {
    if (item === undefined) {
      bits[place >> 5] &= ~(1 << (place & 31));
      found.delete(place);
    } else {
      bits[place >> 5] |= 1 << (place & 31);
      found.set(place, item);
    }
  }
}
