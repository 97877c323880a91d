import { joinFingerprints } from './fingerprint.js';
import { HashOrder } from './hash-order.js';
import type { MergeText } from './merge-text.js';
import type { PairSymbols } from './pair-symbols.js';
import { selectGreatest } from './partial-sort.js';
import { widened } from './widened.js';

const MIN_CANDIDATES = 1000;
const CANDIDATE_SHARE = Math.fround(0.05);

/**
 * Which pairs spm_train takes for candidates: those that were the most frequent ones when it last chose, and among
 * equals those that the order of its hash table and of its partial sort happened to bring to the front; and those that
 * merges have made since. The choice is seldom asked for: `mark` keeps what it takes to make it later.
 */
export class MergeCandidates {
  private readonly text: MergeText;
  private readonly symbols: PairSymbols;
  private readonly order = new HashOrder();
  /** The pairs that were retired, and the last symbol that there was by then. */
  private readonly retired: { readonly pair: number; readonly after: number }[] = [];
  /** Pairs that were made again after they had been retired: nothing takes them for candidates but a choice. */
  private readonly remade = new Set<number>();
  private inserted = 0;
  private erased = 0;
  /** How often was marked; the last symbol and how many were retired then; counts that have changed since. */
  private marks = 0;
  private markedSize = 0;
  private markedRetired = 0;
  private changed = new Int32Array(1024);
  private countsThen = new Float64Array(1024);
  private changes = 0;

  constructor(text: MergeText, symbols: PairSymbols) {
    this.text = text;
    this.symbols = symbols;
  }

  /** From here on `select` gives what is chosen now. @returns how many at most */
  mark(): number {
    this.marks++;
    this.markedSize = this.symbols.size;
    this.markedRetired = this.retired.length;
    this.changes = 0;
    const size = this.markedSize - this.markedRetired;
    return Math.max(MIN_CANDIDATES, Math.trunc(Math.fround(Math.fround(size) * CANDIDATE_SHARE)));
  }

  retire(pair: number): void {
    this.retired.push({ pair, after: this.symbols.size });
    this.symbols.retire(pair);
  }

  noteRemade(pair: number): void {
    this.remade.add(pair);
  }

  /** Whether a pair that was made since the mark is a candidate. */
  joins(pair: number): boolean {
    return !this.remade.has(pair);
  }

  lowerCount(pair: number, by: number): void {
    const { counts, changedAt } = this.symbols;
    if (changedAt[pair] !== this.marks && pair <= this.markedSize) {
      if (this.changes === this.changed.length) {
        this.changed = widened(this.changed, 2 * this.changes);
        this.countsThen = widened(this.countsThen, 2 * this.changes);
      }
      changedAt[pair] = this.marks;
      this.changed[this.changes] = pair;
      this.countsThen[this.changes++] = counts[pair];
    }
    counts[pair] -= by;
  }

  /** The candidates of the last mark, and those that have come since. */
  select(limit: number): number[] {
    this.catchUp();
    const { symbols } = this;
    const counts = symbols.counts.slice(0, this.markedSize + 1);
    for (let i = 0; i < this.changes; i++) counts[this.changed[i]] = this.countsThen[i];
    const pairs = new Int32Array(this.order.size);
    let size = 0;
    for (const symbol of this.order) if (symbols.left[symbol] !== 0) pairs[size++] = symbol;
    const most = Math.min(limit, size);
    const found = pairs.subarray(0, size);
    selectGreatest(found, most, (symbol) => counts[symbol]);
    const chosen = Array.from(found.subarray(0, most));
    for (let pair = this.markedSize + 1; pair <= symbols.size; pair++)
      if (this.joins(pair)) chosen.push(pair);
    return chosen.filter((pair) => symbols.isPair(pair));
  }

  /** Brings the order to what it was at the mark, after all insertions and removals in their sequence. */
  private catchUp(): void {
    for (; this.erased < this.markedRetired; this.erased++) {
      const { pair, after } = this.retired[this.erased];
      this.insertUpTo(after);
      this.order.erase(pair);
    }
    this.insertUpTo(this.markedSize);
  }

  private insertUpTo(last: number): void {
    const { symbols, order } = this;
    while (this.inserted < last) {
      const symbol = ++this.inserted;
      const left = Math.abs(symbols.left[symbol]);
      const { high, low } =
        left === 0
          ? { high: 0, low: this.text.codePointAt(symbols.origin[symbol]) }
          : joinFingerprints(order.keyOf(left), order.keyOf(symbols.right[symbol]));
      order.insert(symbol, high, low);
    }
  }
}
