import { EOS, UNK } from './dictionary.js';
import { PairTable } from './pair-table.js';
import type { SentencePair } from './parallel-dataset.js';

/** For each source id the target ids that translate it, the most probable first. */
export interface Lexicon {
  /** Where the entries of each source id begin, and the end of the last: [source ids + 1]. */
  readonly offsets: Int32Array;
  readonly targets: Int32Array;
  /** p(target | source) of each entry. */
  readonly probabilities: Float32Array;
  /** How often each target id was seen, [target ids]. */
  readonly frequencies: Float64Array;
}

/** How many ids there are. */
export interface DictionarySizes {
  readonly source: number;
  readonly target: number;
}

/** Pairs that can be read again and again. */
export interface Pairs {
  readonly size: number;
  pair(index: number): SentencePair;
}

export interface LearningOptions {
  /** Rounds of expectation and maximisation. */
  iterations: number;
  /** Pairs of ids to hold while counting; they take up to 51 bytes each. */
  mostEntries: number;
  /** How probable each place of a source is, for one place of the target; without it any is as probable as another. */
  places?: Places;
  /** Told how many pairs are done, of all rounds. */
  onPairs?: (done: number) => void;
}

/** As diagonalPlaces: the probabilities of the places of a source, `</s>` among them, for a place of the target. */
export type Places = (place: number, size: number, sourceSize: number) => Float64Array;

export interface LexiconOptions extends LearningOptions {
  /** Target ids to keep of each source id. */
  best: number;
}

/** Pairs of ids less probable than this are no translations. */
const LEAST = 1e-6;
/** How often the surroundings are told. */
const STEP = 1000;

/** As learnPairs, the most probable of each source id. */
export function learnLexicon(pairs: Pairs, sizes: DictionarySizes, options: LexiconOptions): Lexicon {
  const { table, frequencies } = learnPairs(pairs, sizes, options);
  return { ...bestOf(table, sizes.source, options.best), frequencies };
}

/**
 * Learns which target ids translate which source ids: IBM model 1 (Brown et al., 1993), that is, expectation
 * maximisation of p(target | source) where every target token comes from some token of the source sentence, any one as
 * soon as another (with `places`: model 2). `</s>` of the source is what the model calls the empty word; `</s>` and
 * `<unk>` of the target are not learned. In the first round, where all is equally probable, pairs that are few beside
 * what their source has come to are dropped whenever there are too many (lossy counting); later rounds know only those
 * that are left.
 */
export function learnPairs(
  pairs: Pairs,
  sizes: DictionarySizes,
  { iterations, mostEntries, places, onPairs }: LearningOptions,
): { table: PairTable; frequencies: Float64Array } {
  const table = new PairTable();
  const totals = new Float64Array(sizes.source);
  const frequencies = new Float64Array(sizes.target);
  for (let round = 0; round < iterations; round++) {
    let share = 2 ** -20;
    totals.fill(0);
    for (let i = 0; i < pairs.size; i++) {
      const { source, target } = pairs.pair(i);
      if (round === 0) {
        for (const id of target) frequencies[id]++;
        countAll(table, totals, source, target);
        if (table.size > mostEntries) share = drop(table, totals, share, mostEntries / 2);
      } else countExpected(table, totals, source, target, places);
      if ((i + 1) % STEP === 0) onPairs?.(round * pairs.size + i + 1);
    }
    table.normalize(totals);
    table.keep((_, __, probability) => probability >= LEAST);
  }
  return { table, frequencies };
}

/** Each target token is counted with each source token in equal shares. */
function countAll(table: PairTable, totals: Float64Array, source: Int32Array, target: Int32Array): void {
  const share = 1 / source.length;
  for (const to of target) {
    if (to === EOS || to === UNK) continue;
    for (const from of source) {
      table.add(table.make(from, to), share);
      totals[from] += share;
    }
  }
}

/** Each target token is counted with the source tokens in the shares that they probably have in it. */
function countExpected(
  table: PairTable,
  totals: Float64Array,
  source: Int32Array,
  target: Int32Array,
  places?: Places,
): void {
  const entries = new Int32Array(source.length);
  const shares = new Float64Array(source.length);
  target.forEach((to, place) => {
    if (to === EOS || to === UNK) return;
    const prior = places?.(place, target.length, source.length);
    let sum = 0;
    for (let i = 0; i < source.length; i++) {
      entries[i] = table.find(source[i], to);
      shares[i] = table.probability(entries[i]) * (prior === undefined ? 1 : prior[i]);
      sum += shares[i];
    }
    if (sum === 0) return; // all of its pairs were dropped
    for (let i = 0; i < source.length; i++) {
      if (shares[i] === 0) continue;
      table.add(entries[i], shares[i] / sum);
      totals[source[i]] += shares[i] / sum;
    }
  });
}

/**
 * Drops the pairs whose count is below a share of the total of their source, one so large that few are left.
 *
 * @param from the share to try first
 * @returns the share
 */
function drop(table: PairTable, totals: Float64Array, from: number, most: number): number {
  for (let share = from; ; share *= 2) {
    const isKept = (source: number, count: number): boolean => count >= share * totals[source];
    let left = 0;
    table.forEach((source, _, __, count) => {
      if (isKept(source, count)) left++;
    });
    if (left > most) continue;
    table.keep((source, _, __, count) => isKept(source, count));
    return share;
  }
}

/** The most probable entries of each source id, ties to the lower target id. */
function bestOf(table: PairTable, sourceIds: number, best: number): Omit<Lexicon, 'frequencies'> {
  const starts = new Int32Array(sourceIds + 1);
  table.forEach((source) => {
    starts[source + 1]++;
  });
  for (let id = 0; id < sourceIds; id++) starts[id + 1] += starts[id];
  const [targets, probabilities] = [new Int32Array(table.size), new Float32Array(table.size)];
  const next = starts.slice();
  table.forEach((source, target, probability) => {
    targets[next[source]] = target;
    probabilities[next[source]++] = probability;
  });
  const offsets = new Int32Array(sourceIds + 1);
  for (let id = 0; id < sourceIds; id++) {
    const order = Int32Array.from({ length: starts[id + 1] - starts[id] }, (_, i) => starts[id] + i);
    order.sort((a, b) => probabilities[b] - probabilities[a] || targets[a] - targets[b]);
    const taken = order.subarray(0, best);
    const entries = Array.from(taken, (place): [number, number] => [targets[place], probabilities[place]]);
    // What is taken of this id ends before what the next ones have.
    entries.forEach(([target, probability], i) => {
      targets[offsets[id] + i] = target;
      probabilities[offsets[id] + i] = probability;
    });
    offsets[id + 1] = offsets[id] + entries.length;
  }
  const size = offsets[sourceIds];
  return { offsets, targets: targets.slice(0, size), probabilities: probabilities.slice(0, size) };
}
