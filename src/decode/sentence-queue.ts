import { type Packed, pack } from '../data/batch.js';
import { type BatchLimits, endOfBatch, longestFirst } from './length-batches.js';
import { type Hypothesis, type Room, type SearchOptions, search } from './search.js';
import type { Wishes } from './search-options.js';
import type { StepModel } from './step-model.js';

/** The same memory for all threads. */
export interface QueueParts extends Packed {
  /** The places of the sentences, the longest first. */
  order: Int32Array;
  /** Their lengths in this order. */
  lengths: Int32Array;
  /** [1], how many were taken. */
  taken: Int32Array;
}

/**
 * Sentences that wait to be translated, in memory that threads share: whoever has room takes the next ones. The longest
 * come first: at the end, where nothing is left to fill a batch with, those are in it which end soon.
 */
export class SentenceQueue {
  readonly parts: QueueParts;

  constructor(parts: QueueParts) {
    this.parts = parts;
  }

  /** @param sources ids that end in `</s>` */
  static of(sources: readonly Int32Array[]): SentenceQueue {
    const { tokens, offsets } = pack(sources);
    const order = longestFirst(sources.map(({ length }) => length));
    const lengths = order.map((place) => sources[place].length);
    return new SentenceQueue({
      tokens: shared(tokens),
      offsets: shared(offsets),
      order: shared(order),
      lengths: shared(lengths),
      taken: shared(Int32Array.of(0)),
    });
  }

  /** The places of the next sentences. @param alone whether the first is given however long it is */
  take(limits: BatchLimits, alone: boolean): Int32Array {
    const { order, lengths, taken } = this.parts;
    for (;;) {
      const start = Atomics.load(taken, 0);
      const end = endOfBatch(lengths, start, limits, alone);
      if (Atomics.compareExchange(taken, 0, start, end) === start) return order.subarray(start, end);
    }
  }

  sentence(place: number): Int32Array {
    const { tokens, offsets } = this.parts;
    return tokens.subarray(offsets[place], offsets[place + 1]);
  }
}

const shared = (values: Int32Array): Int32Array => {
  const copy = new Int32Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
};

/**
 * Searches the translations of the sentences that a queue gives.
 *
 * @param found told of each sentence as it is done: its place, and its hypotheses, best score first
 * @param wishes what is wished of each sentence, by its place
 */
export async function searchQueue(
  model: StepModel,
  queue: SentenceQueue,
  options: SearchOptions & BatchLimits,
  found: (place: number, hypotheses: Hypothesis[]) => void,
  wishes?: readonly Wishes[],
): Promise<void> {
  const places: number[] = [];
  const supply = (room: Room): Int32Array[] => {
    const next = [...queue.take(room, room.empty)];
    places.push(...next);
    return next.map((place) => queue.sentence(place));
  };
  const wishesOf = wishes && ((i: number): Wishes => wishes[places[i]]);
  await search(model, supply, options, (i, hypotheses) => found(places[i], hypotheses), wishesOf);
}

/** Translates sentences; see `searchQueue`. */
export type SearchAll = (
  sources: readonly Int32Array[],
  options: SearchOptions & BatchLimits,
  found: (place: number, hypotheses: Hypothesis[]) => void,
  wishes?: readonly Wishes[],
) => Promise<void>;

/** On this thread alone. */
export function searchWith(model: StepModel): SearchAll {
  return (sources, options, found, wishes) =>
    searchQueue(model, SentenceQueue.of(sources), options, found, wishes);
}
