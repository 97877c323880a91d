import { placesOf } from '../common/places.js';
import { UNK } from '../data/dictionary.js';
import type { Lexicon } from '../data/lexicon.js';

/** What a shortlist is made of. */
export interface ShortlistParts {
  /** Target ids that every translation may have, beside the special symbols. */
  readonly frequent: Int32Array;
  /** How many target ids each source id has, [source ids]. */
  readonly counts: Int32Array;
  /** Those of all source ids, one after the other, the most probable first. */
  readonly targets: Int32Array;
}

/** The ids of the special symbols, which every translation may have. */
const SPECIALS = UNK + 1;

/** For each source piece the target pieces that may translate it, and those that may stand in any translation. */
export class Shortlist {
  readonly parts: ShortlistParts;
  private readonly offsets: Int32Array;
  /** For each target id 1 where every translation may have it, else 0. */
  private readonly everywhere: Uint8Array;

  constructor(parts: ShortlistParts) {
    this.parts = parts;
    this.offsets = new Int32Array(parts.counts.length + 1);
    parts.counts.forEach((count, id) => {
      this.offsets[id + 1] = this.offsets[id] + count;
    });
    const largest = (ids: Int32Array): number => ids.reduce((most, id) => Math.max(most, id), UNK);
    this.everywhere = new Uint8Array(1 + Math.max(largest(parts.frequent), largest(parts.targets)));
    this.everywhere.fill(1, 0, SPECIALS);
    for (const id of parts.frequent) this.everywhere[id] = 1;
  }

  /**
   * What a lexicon gives.
   *
   * @param first how many of the most frequent target ids every translation may have
   */
  static of({ offsets, targets, frequencies }: Lexicon, first: number): Shortlist {
    const counts = Int32Array.from({ length: offsets.length - 1 }, (_, id) => offsets[id + 1] - offsets[id]);
    const seen = Int32Array.from(frequencies.keys()).filter((id) => id >= SPECIALS && frequencies[id] > 0);
    const frequent = seen.sort((a, b) => frequencies[b] - frequencies[a] || a - b).slice(0, first);
    return new Shortlist({ frequent, counts, targets });
  }

  /** The target ids that a translation may have, ascending: the special ones, the frequent ones, those of each source id. */
  candidates(source: Int32Array): Int32Array {
    const { targets } = this.parts;
    const wanted = this.everywhere.slice();
    for (const id of source) {
      for (let i = this.offsets[id]; i < this.offsets[id + 1]; i++) wanted[targets[i]] = 1;
    }
    return placesOf(wanted);
  }
}
