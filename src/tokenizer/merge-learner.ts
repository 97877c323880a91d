import { MergeCandidates } from './merge-candidates.js';
import { MergeQueue } from './merge-queue.js';
import { BORDER, MERGED, MergeText } from './merge-text.js';
import { PairSymbols } from './pair-symbols.js';
import { joinScripts, MAX_CHARACTERS, NO_PIECE, pieceScript } from './piece-rules.js';
import { PositionLists } from './position-lists.js';
import type { WordTable } from './word-table.js';

/** The candidates are chosen anew after so many merges. */
const UPDATE_INTERVAL = 100;
/** In place of a pair: this one cannot be a piece. */
const INVALID = 0;

/**
 * Learns which pairs to merge (bpe_model_trainer.cc of 0.1.97). A merge lowers the counts of the pairs that it breaks
 * and counts those that it makes, so each cell is looked at once a merge that it takes part in.
 *
 * spm_train chooses among candidates: the most frequent twentieth of all pairs every 100 merges, and those made since.
 * Where few enough pairs are more frequent than a floor, these are candidates for certain, and as long as the best pair
 * is above the floor no other matters. Only where none is left, as when a text is nearly exhausted, the very
 * candidates are found.
 */
export class MergeLearner {
  private readonly text: MergeText;
  private readonly symbols = new PairSymbols();
  private readonly lists: PositionLists;
  private readonly candidates: MergeCandidates;
  /** The candidates with a count above the floor, which is −1 where all candidates are known. */
  private readonly queue: MergeQueue;
  private floor = -1;
  /** How many candidates are chosen. */
  private limit = 0;

  /** @param words with RARE in place of the characters that have no piece */
  constructor(words: WordTable) {
    this.text = new MergeText(words);
    this.candidates = new MergeCandidates(this.text, this.symbols);
    this.queue = new MergeQueue((a, b) => this.precedes(a, b));
    this.lists = new PositionLists(this.text, this.symbols);
    const { cells } = this.text;
    for (let cell = 0; cell < cells.length; cell++) {
      if (cells[cell] > this.symbols.size) this.addCharacter(cell);
    }
    for (let cell = 1; cell < cells.length; cell++) {
      if (cells[cell - 1] !== BORDER && cells[cell] !== BORDER) this.pair(cell - 1, cell);
    }
    this.lists.fill();
  }

  /**
   * The pieces of the first `wanted` merges, or of all that there are.
   *
   * @param see is told after each how many they are
   */
  learn(wanted: number, see: (pieces: number) => void = () => {}): string[] {
    const pieces = new Set<string>();
    while (pieces.size < wanted) {
      if (pieces.size % UPDATE_INTERVAL === 0) this.update();
      const best = this.next();
      if (best === 0) break;
      const text = this.text.textAt(this.symbols.origin[best], this.symbols.length[best]);
      // A piece that came another way before is the same piece: this way to it is given up.
      if (!pieces.has(text)) {
        pieces.add(text);
        this.merge(best);
      }
      this.candidates.retire(best);
      see(pieces.size);
    }
    return [...pieces];
  }

  private addCharacter(cell: number): void {
    this.symbols.add(0, 0, cell, 1, pieceScript(this.text.codePointAt(cell)));
  }

  /** The symbol of the pair at two cells, made where there is none; INVALID where it cannot be a piece. */
  private pair(leftCell: number, rightCell: number): number {
    const { symbols } = this;
    const [left, right] = [this.text.cells[leftCell], this.text.cells[rightCell]];
    const length = symbols.length[left] + symbols.length[right];
    const script = joinScripts(symbols.script[left], symbols.script[right]);
    if (length > MAX_CHARACTERS || script === NO_PIECE) return INVALID;
    return symbols.find(left, right) || symbols.add(left, right, leftCell, length, script);
  }

  /** Has candidates chosen anew. The floor stays where few are above it and it is well below the best pair. */
  private update(): void {
    const { queue } = this;
    this.limit = this.candidates.mark();
    if (this.floor >= 0 && queue.size <= this.limit && queue.topKey > 2 * this.floor) return;
    this.floor = this.chooseFloor();
    queue.clear();
    this.eachAbove(this.floor, (pair) => queue.push(pair, this.symbols.counts[pair]));
  }

  /** A count that half of the candidates are above, so that there is room for more; or as low as can be, where that is close to the best. */
  private chooseFloor(): number {
    let most = 0;
    this.eachAbove(0, (pair) => {
      most = Math.max(most, this.symbols.counts[pair]);
    });
    const floor = this.lowestFloor(most, this.limit / 2);
    return most > 2 * floor ? floor : this.lowestFloor(most, this.limit);
  }

  private lowestFloor(most: number, size: number): number {
    let [low, high] = [0, most];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      let above = 0;
      this.eachAbove(middle, () => {
        above++;
      });
      if (above > size) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private eachAbove(floor: number, see: (pair: number) => void): void {
    const { symbols } = this;
    const { counts, size } = symbols;
    for (let pair = 1; pair <= size; pair++) if (counts[pair] > floor && symbols.isPair(pair)) see(pair);
  }

  /** Takes the best candidate; 0 where there is none. */
  private next(): number {
    const { queue } = this;
    const { counts } = this.symbols;
    const best = queue.take(counts, this.floor);
    if (best !== 0 || this.floor < 0) return best;
    this.floor = -1;
    for (const pair of this.candidates.select(this.limit)) queue.push(pair, counts[pair]);
    return queue.take(counts, this.floor);
  }

  /** Of two pairs with the same count the shorter one comes first, then that which is first in byte order. */
  private precedes(a: number, b: number): boolean {
    const { length, origin } = this.symbols;
    const difference = length[a] - length[b] || this.text.compare(origin[a], origin[b], length[a]);
    return difference < 0 || (difference === 0 && a < b);
  }

  private merge(best: number): void {
    const { symbols, lists } = this;
    const { cells } = this.text;
    const before = symbols.size;
    const [left, right, length] = [symbols.left[best], symbols.right[best], symbols.length[best]];
    const leftLength = symbols.length[left];
    lists.each(best, (cell) => {
      if (cells[cell] !== left || cells[cell + leftLength] !== right) return;
      let previous = cell - 1;
      while (cells[previous] === MERGED) previous--;
      const next = cell + length;
      const hasPrevious = cells[previous] !== BORDER;
      const hasNext = cells[next] !== BORDER;
      if (hasPrevious) this.forget(previous, cell, best, before);
      if (hasNext) this.forget(cell + leftLength, next, best, before);
      cells[cell] = best;
      cells[cell + leftLength] = MERGED;
      if (hasPrevious) lists.note(this.pair(previous, cell), previous);
      if (hasNext) lists.note(this.pair(cell, next), cell);
    });
    lists.addNoted(before);
    for (let pair = before + 1; pair <= symbols.size; pair++) {
      const count = symbols.counts[pair];
      if (count > this.floor && this.candidates.joins(pair)) this.queue.push(pair, count);
    }
  }

  /** Takes from the count of a pair that the merge breaks; those made by the merge are counted when it is done. */
  private forget(leftCell: number, rightCell: number, best: number, before: number): void {
    const known = this.symbols.size;
    const pair = this.pair(leftCell, rightCell);
    if (pair > known) this.candidates.noteRemade(pair);
    if (pair === INVALID || pair === best || pair > before) return;
    if (this.lists.has(pair, leftCell)) this.candidates.lowerCount(pair, this.text.weightOf(leftCell));
  }
}
