import type { MergeText } from './merge-text.js';
import type { PairSymbols } from './pair-symbols.js';
import { widened } from './widened.js';

type See = (pair: number, cell: number) => void;

/** Part of the text's length that lists may take beyond it, before positions that are no longer right are dropped. */
const SLACK = 0.25;

/**
 * The cells where each pair was seen to start, ascending; some hold other symbols by now. All positions of a pair come at
 * once: at the start, or when one of its parts is made. The lists lie one after the other in the order of their pairs.
 */
export class PositionLists {
  private readonly text: MergeText;
  private readonly symbols: PairSymbols;
  private readonly pool: Int32Array;
  private used = 0;
  /** Pairs that a merge makes, and where. */
  private noted = new Int32Array(1024);
  private notedCells = new Int32Array(1024);
  private notedCount = 0;

  constructor(text: MergeText, symbols: PairSymbols) {
    this.text = text;
    this.symbols = symbols;
    this.pool = new Int32Array(Math.ceil((1 + SLACK) * text.cells.length) + 16);
  }

  /** Counts and lists all neighbours in the text, which must be known as pairs where they can be. */
  fill(): void {
    const { cells } = this.text;
    this.add(0, (see) => {
      for (let cell = 1; cell < cells.length; cell++) {
        const pair = this.symbols.find(cells[cell - 1], cells[cell]);
        if (pair !== 0) see(pair, cell - 1);
      }
    });
  }

  each(pair: number, see: (cell: number) => void): void {
    const { pool } = this;
    const first = this.symbols.first[pair];
    const end = first + this.symbols.positions[pair];
    for (let i = first; i < end; i++) see(pool[i]);
  }

  /** Whether a pair that stands at a cell is in the list of it. */
  has(pair: number, cell: number): boolean {
    const { left, right, positions, first } = this.symbols;
    // One that was given up, and made again since, has none; only of a symbol with itself some are left out.
    if (left[pair] !== right[pair] || positions[pair] === 0) return positions[pair] > 0;
    let [low, high] = [first[pair], first[pair] + positions[pair] - 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.pool[middle] < cell) low = middle + 1;
      else high = middle;
    }
    return this.pool[low] === cell;
  }

  /** Notes that a pair was made at a cell; 0 is none. */
  note(pair: number, cell: number): void {
    if (pair === 0) return;
    if (this.notedCount === this.noted.length) {
      this.noted = widened(this.noted, 2 * this.notedCount);
      this.notedCells = widened(this.notedCells, 2 * this.notedCount);
    }
    this.noted[this.notedCount] = pair;
    this.notedCells[this.notedCount++] = cell;
  }

  /** Counts and lists what was noted, as far as it still stands; the pairs come after `last`. */
  addNoted(last: number): void {
    this.add(last, (see) => {
      for (let i = 0; i < this.notedCount; i++) see(this.noted[i], this.notedCells[i]);
    });
    this.notedCount = 0;
  }

  private add(last: number, each: (see: See) => void): void {
    const { symbols, text } = this;
    this.eachStanding(each, (pair, cell) => {
      symbols.positions[pair]++;
      symbols.counts[pair] += text.weightOf(cell);
    });
    this.layOut(last);
    this.eachStanding(each, (pair, cell) => {
      this.pool[symbols.first[pair] + symbols.positions[pair]++] = cell;
    });
  }

  /** In AAA the second AA overlaps the first and does not count; in AAAA the third does. */
  private eachStanding(each: (see: See) => void, see: See): void {
    const { left, right, length } = this.symbols;
    let overlapping = -1;
    each((pair, cell) => {
      const stands = this.stands(pair, cell);
      if (left[pair] === right[pair]) {
        const overlaps = !stands || cell === overlapping;
        overlapping = overlaps ? -1 : cell + length[left[pair]];
        if (overlaps) return;
      }
      if (stands) see(pair, cell);
    });
  }

  private stands(pair: number, cell: number): boolean {
    const { cells } = this.text;
    const { left, right, length } = this.symbols;
    return cells[cell] === left[pair] && cells[cell + length[left[pair]]] === right[pair];
  }

  /** Makes room for the lists of the pairs after `last`, whose lengths are known. */
  private layOut(last: number): void {
    const { first, positions, size } = this.symbols;
    let total = 0;
    for (let pair = last + 1; pair <= size; pair++) total += positions[pair];
    if (this.used + total > this.pool.length) this.compact(last);
    for (let pair = last + 1; pair <= size; pair++) {
      first[pair] = this.used;
      this.used += positions[pair];
      positions[pair] = 0;
    }
  }

  /** Drops the positions of the pairs up to `last` that hold other symbols by now. */
  private compact(last: number): void {
    const { symbols, pool } = this;
    let used = 0;
    for (let pair = 1; pair <= last; pair++) {
      const start = symbols.first[pair];
      const end = start + (symbols.isPair(pair) ? symbols.positions[pair] : 0);
      symbols.first[pair] = used;
      for (let i = start; i < end; i++) if (this.stands(pair, pool[i])) pool[used++] = pool[i];
      symbols.positions[pair] = used - symbols.first[pair];
    }
    this.used = used;
  }
}
