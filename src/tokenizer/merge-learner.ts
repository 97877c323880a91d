import { compareCodePoints } from '../common/code-points.js';
import { type Fingerprint, joinFingerprints } from './fingerprint.js';
import { HashOrder } from './hash-order.js';
import { selectGreatest } from './partial-sort.js';
import { isValidPiece, RARE } from './piece-rules.js';
import type { Count } from './word-counts.js';

/** The candidates are chosen anew after so many merges. */
const UPDATE_INTERVAL = 100;
const MIN_CANDIDATES = 1000;
const CANDIDATE_SHARE = Math.fround(0.05);
/** In a list of pairs: this one cannot be a piece. */
const INVALID = 0;
/** A cell that has gone into the symbol at its left. */
const MERGED = 0;

/** A character, or a pair of symbols. Numbers are from 1. */
interface SymbolEntry {
  readonly text: string;
  /** Number of characters, which is that of the cells that it takes. */
  readonly length: number;
  readonly fingerprint: Fingerprint;
  /** Parts of a pair; 0 for characters. */
  readonly left: number;
  readonly right: number;
  /** Cells where a pair was seen to start, ascending; some may hold other symbols by now. */
  positions: number[];
}

/**
 * Learns which pairs to merge (bpe_model_trainer.cc of 0.1.97). All words lie one after the other in `cells`, one
 * cell for a character; a merge leaves its symbol in the first of its cells. Counts are lazy: 0 means not known.
 */
export class MergeLearner {
  private readonly cells: Int32Array;
  /** Of each cell: where its word starts and ends, and how often the word was seen. */
  private readonly starts: Int32Array;
  private readonly ends: Int32Array;
  private readonly weights: Float64Array;
  private readonly symbols: SymbolEntry[] = [];
  private readonly counts: number[] = [0];
  private readonly characters = new Map<string, number>();
  /** By left symbol, then right symbol. */
  private readonly pairs: (Map<number, number> | undefined)[] = [];
  private readonly order = new HashOrder();
  private candidates: number[] = [];
  private isCandidate: boolean[] = [];

  /** @param words by falling count; RARE in place of the characters that have no piece */
  constructor(words: readonly Count<string>[], required: readonly Count<string>[]) {
    const size = words.reduce((sum, [word]) => sum + Array.from(word).length, 0);
    this.cells = new Int32Array(size);
    this.starts = new Int32Array(size);
    this.ends = new Int32Array(size);
    this.weights = new Float64Array(size);
    this.symbols.push({
      text: '',
      length: 0,
      fingerprint: { high: 0, low: 0 },
      left: 0,
      right: 0,
      positions: [],
    });
    const counts = new Map(required);
    let end = 0;
    for (const [word, weight] of words) {
      const start = end;
      for (const character of word) this.cells[end++] = this.character(character, counts.get(character) ?? 1);
      this.starts.fill(start, start, end);
      this.ends.fill(end, start, end);
      this.weights.fill(weight, start, end);
    }
    for (let cell = 1; cell < size; cell++) {
      if (this.starts[cell] < cell) this.addPair(cell - 1, cell);
    }
  }

  /** The pieces of the first `wanted` merges, or of all that there are. */
  learn(wanted: number): string[] {
    const pieces = new Set<string>();
    while (pieces.size < wanted) {
      if (pieces.size % UPDATE_INTERVAL === 0) this.updateCandidates();
      const place = this.best();
      if (place < 0) break;
      const best = this.candidates[place];
      const { text } = this.symbols[best];
      // A piece that came another way before is the same piece: this way to it is given up.
      if (!pieces.has(text)) {
        pieces.add(text);
        this.merge(best);
      }
      this.retire(place);
    }
    return [...pieces];
  }

  private character(text: string, count: number): number {
    let symbol = this.characters.get(text);
    if (symbol === undefined) {
      const fingerprint = { high: 0, low: text.codePointAt(0)! };
      symbol = this.addSymbol({ text, length: 1, fingerprint, left: 0, right: 0, positions: [] }, count);
      this.characters.set(text, symbol);
    }
    return symbol;
  }

  private addSymbol(entry: SymbolEntry, count: number): number {
    const symbol = this.symbols.push(entry) - 1;
    this.counts.push(count);
    this.isCandidate[symbol] = false;
    this.order.insert(symbol, entry.fingerprint.high, entry.fingerprint.low);
    return symbol;
  }

  /** The symbol of a pair, made where there is none; INVALID where it cannot be a piece. */
  private pair(left: number, right: number): number {
    this.pairs[left] ??= new Map();
    const pairs = this.pairs[left];
    let symbol = pairs.get(right);
    if (symbol === undefined) {
      symbol = this.makePair(left, right);
      pairs.set(right, symbol);
    }
    return symbol;
  }

  private makePair(left: number, right: number): number {
    const [a, b] = [this.symbols[left], this.symbols[right]];
    const text = a.text + b.text;
    if (a.text === RARE || b.text === RARE || !isValidPiece(text)) return INVALID;
    const fingerprint = joinFingerprints(a.fingerprint, b.fingerprint);
    return this.addSymbol({ text, length: a.length + b.length, fingerprint, left, right, positions: [] }, 0);
  }

  private addPair(left: number, right: number): void {
    const symbol = this.pair(this.cells[left], this.cells[right]);
    if (symbol === INVALID) return;
    if (!this.isCandidate[symbol]) {
      this.isCandidate[symbol] = true;
      this.candidates.push(symbol);
    }
    const { positions } = this.symbols[symbol];
    if (positions.length === 0 || positions[positions.length - 1] < left) positions.push(left);
  }

  /** Counts a pair where its count is not known, and drops the positions where it is no longer. */
  private count(symbol: number): void {
    if (this.counts[symbol] > 0) return;
    const { positions, left, right } = this.symbols[symbol];
    const { cells } = this;
    const leftLength = this.symbols[left].length;
    let total = 0;
    let kept = 0;
    let previousRight = -1;
    for (const cell of positions) {
      // In AAA the second AA overlaps the first and does not count; in AAAA the third does.
      if (cell === previousRight || cells[cell] !== left || cells[cell + leftLength] !== right) {
        previousRight = -1;
        continue;
      }
      total += this.weights[cell];
      previousRight = cell + leftLength;
      positions[kept++] = cell;
    }
    positions.length = kept;
    this.counts[symbol] = total;
  }

  /** Chooses the most frequent pairs as candidates; pairs made later join them. */
  private updateCandidates(): void {
    const { counts } = this;
    const pairs: number[] = [];
    for (const symbol of this.order) {
      if (this.symbols[symbol].left === 0) continue;
      this.count(symbol);
      pairs.push(symbol);
    }
    const share = Math.trunc(Math.fround(Math.fround(this.order.size) * CANDIDATE_SHARE));
    const size = Math.min(Math.max(MIN_CANDIDATES, share), pairs.length);
    selectGreatest(pairs, size, (symbol) => counts[symbol]);
    for (const symbol of this.candidates) this.isCandidate[symbol] = false;
    this.candidates = pairs.slice(0, size);
    for (const symbol of this.candidates) this.isCandidate[symbol] = true;
  }

  /** The place of the best candidate: the most frequent, then the shortest, then the first in byte order. */
  private best(): number {
    const { candidates, counts } = this;
    let [best, most] = [-1, -1];
    for (let place = 0; place < candidates.length; place++) {
      const symbol = candidates[place];
      if (counts[symbol] === 0) this.count(symbol);
      const count = counts[symbol];
      if (count < most || (count === most && !this.precedes(symbol, candidates[best]))) continue;
      [best, most] = [place, count];
    }
    return best;
  }

  private precedes(a: number, b: number): boolean {
    const [first, second] = [this.symbols[a], this.symbols[b]];
    return (first.length - second.length || compareCodePoints(first.text, second.text)) < 0;
  }

  private merge(best: number): void {
    const { cells, starts, ends } = this;
    const { positions, left, length } = this.symbols[best];
    const leftLength = this.symbols[left].length;
    for (const cell of positions) {
      if (cells[cell] === MERGED) continue;
      const next = cell + length < ends[cell] ? cell + length : -1;
      let previous = cell - 1;
      while (previous >= starts[cell] && cells[previous] === MERGED) previous--;
      if (previous < starts[cell]) previous = -1;
      if (previous >= 0) this.forget(previous, cell, best);
      if (next >= 0) this.forget(cell + leftLength, next, best);
      cells[cell] = best;
      cells[cell + leftLength] = MERGED;
      if (previous >= 0) this.addPair(previous, cell);
      if (next >= 0) this.addPair(cell, next);
    }
  }

  private forget(left: number, right: number, best: number): void {
    const symbol = this.pair(this.cells[left], this.cells[right]);
    if (symbol !== INVALID && symbol !== best) this.counts[symbol] = 0;
  }

  /** Takes a candidate out for good. */
  private retire(place: number): void {
    const symbol = this.candidates[place];
    const { left, right } = this.symbols[symbol];
    this.pairs[left]!.delete(right);
    this.order.erase(symbol);
    this.isCandidate[symbol] = false;
    this.symbols[symbol].positions = [];
    const last = this.candidates.pop()!;
    if (last !== symbol) this.candidates[place] = last;
  }
}
