import { IdList } from '../common/id-list.js';
import { EOS, UNK } from './dictionary.js';
import { learnPairs, type Pairs, type Places } from './lexicon.js';
import type { PairTable } from './pair-table.js';
import type { WordLink } from './pharaoh.js';
import { wordsOf } from './piece-links.js';
import { type Symmetry, symmetrize } from './symmetrize.js';

/* Which word goes with which, from the pairs of a corpus alone. */

export interface AligningOptions {
  iterations: number;
  symmetry: Symmetry;
  /** Pairs of words to hold while counting, in each direction. */
  mostEntries: number;
  /** Told how many pairs are done, of all rounds of both directions. */
  onPairs?: (done: number) => void;
}

/** Ids below it are those of special symbols. */
const FIRST_WORD = UNK + 1;
/**
 * How probable it is that a word comes from none, and how sharply its place is that of what it comes from. fast_align
 * begins with a sharpness of 4 and trains it; one that is not trained had better be lower, for languages of another order.
 */
const [EMPTY, SHARPNESS] = [0.08, 2];
/** What surrounds the letters and digits of a word. */
const EDGES = /^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu;

/** The sentences of one language as numbers of their words. */
export class WordColumn {
  private readonly ids = new Map<string, number>();
  private readonly list = new IdList();
  private readonly ends: number[] = [0];

  /** Words and special symbols. */
  get size(): number {
    return FIRST_WORD + this.ids.size;
  }

  get sentences(): number {
    return this.ends.length - 1;
  }

  /** Adds a sentence. Its words are what white space parts; they are one where they differ by case or by the punctuation around them. */
  add(text: string): void {
    for (const word of wordsOf(text)) {
      const lower = word.toLowerCase();
      const key = lower.replace(EDGES, '') || lower;
      let id = this.ids.get(key);
      if (id === undefined) {
        id = this.size;
        this.ids.set(key, id);
      }
      this.list.push(id);
    }
    this.ends.push(this.list.length);
  }

  /** The words of a sentence, and `</s>`. */
  sentence(index: number): Int32Array {
    const words = this.list.values.subarray(this.ends[index], this.ends[index + 1]);
    const ended = new Int32Array(words.length + 1).fill(EOS);
    ended.set(words);
    return ended;
  }
}

/**
 * How probable each place of a source is for a place of the target: nearer the diagonal more so, and `</s>`, the empty
 * word, always the same (Dyer et al. 2013, "A Simple, Fast, and Effective Reparameterization of IBM Model 2", whose λ
 * and p₀ these are).
 *
 * @param place of the target, from 0
 * @param size of the target with `</s>`, as that of the source
 */
export const diagonalPlaces: Places = (place, size, sourceSize) => {
  const words = sourceSize - 1;
  const at = (place + 1) / (size - 1);
  const prior = new Float64Array(sourceSize);
  let sum = 0;
  for (let i = 0; i < words; i++) sum += prior[i] = Math.exp(-SHARPNESS * Math.abs((i + 1) / words - at));
  for (let i = 0; i < words; i++) prior[i] *= (1 - EMPTY) / sum;
  prior[words] = words === 0 ? 1 : EMPTY;
  return prior;
};

/**
 * Learns from all pairs, in both directions, which word comes from which, and joins both.
 *
 * @returns the links of a pair, in the order of the source
 */
export function alignWords(
  source: WordColumn,
  target: WordColumn,
  { symmetry, onPairs, ...options }: AligningOptions,
): (index: number) => WordLink[] {
  const size = source.sentences;
  const learn = (from: WordColumn, to: WordColumn, before: number): PairTable => {
    const pairs: Pairs = { size, pair: (i) => ({ source: from.sentence(i), target: to.sentence(i) }) };
    const told = (done: number): void => onPairs?.(before + done);
    const sizes = { source: from.size, target: to.size };
    return learnPairs(pairs, sizes, { ...options, places: diagonalPlaces, onPairs: told }).table;
  };
  const forward = learn(source, target, 0);
  const backward = learn(target, source, size * options.iterations);
  return (index) => {
    const [from, to] = [source.sentence(index), target.sentence(index)];
    return symmetrize(originsOf(forward, from, to), originsOf(backward, to, from), symmetry);
  };
}

/** For each word of the target the place of the word that it most probably comes from; −1 for none. */
function originsOf(table: PairTable, source: Int32Array, target: Int32Array): Int32Array {
  const empty = source.length - 1;
  return Int32Array.from({ length: target.length - 1 }, (_, place) => {
    const prior = diagonalPlaces(place, target.length, source.length);
    let [best, most] = [empty, 0];
    source.forEach((from, i) => {
      const probability = prior[i] * table.probability(table.find(from, target[place]));
      if (probability > most) [best, most] = [i, probability];
    });
    return best === empty ? -1 : best;
  });
}
