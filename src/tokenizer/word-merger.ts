import type { Vocabulary } from './vocabulary.js';

/** Words of more characters take the way that is quick for long text. */
const MAX_CHARACTERS = 64;
const MAX_PAIRS = 2 ** 20;
const NONE = -1;

/**
 * Segments short words into ids by the same merges as BpeSegmenter, for models whose pieces all are normal ones: two
 * symbols side by side have a number each, and what they merge to is remembered by these.
 */
export class WordMerger {
  private readonly vocabulary: Vocabulary;
  private readonly ranks: Int32Array;
  /** Symbols by code point. A symbol is the id of its piece; a character without one is a number above all ids. */
  private readonly characters = new Map<number, number>();
  private readonly pairs = new PairMemo();
  private readonly symbols = new Int32Array(MAX_CHARACTERS);
  /** What symbols i and i + 1 merge to, or NONE. */
  private readonly merged = new Int32Array(MAX_CHARACTERS);

  /** @param ranks of each id, the place of its score among all scores */
  constructor(vocabulary: Vocabulary, ranks: Int32Array) {
    this.vocabulary = vocabulary;
    this.ranks = ranks;
  }

  /** The ids of the pieces of a word, good until the next one; undefined where one is unknown, or the word is long. */
  segment(word: string): Int32Array | undefined {
    const { symbols, merged, ranks } = this;
    let count = 0;
    for (let at = 0; at < word.length; count++) {
      if (count === MAX_CHARACTERS) return undefined;
      const code = word.codePointAt(at)!;
      at += code > 0xffff ? 2 : 1;
      symbols[count] = this.character(code);
    }
    for (let i = 0; i + 1 < count; i++) merged[i] = this.merge(symbols[i], symbols[i + 1]);
    for (;;) {
      let [best, rank] = [NONE, Number.POSITIVE_INFINITY];
      for (let i = 0; i + 1 < count; i++) {
        const into = merged[i];
        if (into !== NONE && ranks[into] < rank) [best, rank] = [i, ranks[into]];
      }
      if (best === NONE) break;
      symbols[best] = merged[best];
      symbols.copyWithin(best + 1, best + 2, count);
      merged.copyWithin(best + 1, best + 2, count);
      count--;
      if (best > 0) merged[best - 1] = this.merge(symbols[best - 1], symbols[best]);
      if (best + 1 < count) merged[best] = this.merge(symbols[best], symbols[best + 1]);
    }
    const ids = symbols.subarray(0, count);
    return ids.every((id) => id < this.vocabulary.pieces.length) ? ids : undefined;
  }

  /** The text of a symbol. */
  private text(symbol: number): string {
    const { pieces } = this.vocabulary;
    return symbol < pieces.length ? pieces[symbol].piece : String.fromCodePoint(symbol - pieces.length);
  }

  private character(code: number): number {
    let symbol = this.characters.get(code);
    if (symbol === undefined) {
      const { segments, pieces } = this.vocabulary;
      symbol = segments.get(String.fromCodePoint(code)) ?? pieces.length + code;
      this.characters.set(code, symbol);
    }
    return symbol;
  }

  private merge(left: number, right: number): number {
    const slot = this.pairs.find(left, right);
    if (this.pairs.isKnown(slot)) return this.pairs.value(slot);
    const into = this.vocabulary.segments.get(this.text(left) + this.text(right)) ?? NONE;
    this.pairs.add(slot, left, right, into);
    return into;
  }
}

/** A number for each pair of numbers; when there are too many, all are forgotten. */
class PairMemo {
  /** Left + 1, right and value of each slot; a left of 0 is a free one. */
  private words = new Int32Array(3 * 4096);
  private count = 0;

  /** The slot of a pair, or the free one that it would have. */
  find(left: number, right: number): number {
    const { words } = this;
    const mask = words.length / 3 - 1;
    const hash = Math.imul(Math.imul(left, 0x9e3779b1) ^ right, 0x85ebca6b);
    let bucket = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const slot = 3 * bucket;
      if (words[slot] === 0 || (words[slot] === left + 1 && words[slot + 1] === right)) return slot;
      bucket = (bucket + 1) & mask;
    }
  }

  isKnown(slot: number): boolean {
    return this.words[slot] !== 0;
  }

  value(slot: number): number {
    return this.words[slot + 2];
  }

  add(slot: number, left: number, right: number, value: number): void {
    this.words[slot] = left + 1;
    this.words[slot + 1] = right;
    this.words[slot + 2] = value;
    this.count++;
    if (6 * this.count > this.words.length) this.grow();
  }

  private grow(): void {
    const { words } = this;
    this.count = 0;
    if (words.length > 3 * MAX_PAIRS) {
      words.fill(0);
      return;
    }
    this.words = new Int32Array(2 * words.length);
    for (let slot = 0; slot < words.length; slot += 3) {
      if (words[slot] === 0) continue;
      const [left, right] = [words[slot] - 1, words[slot + 1]];
      this.add(this.find(left, right), left, right, words[slot + 2]);
    }
  }
}
