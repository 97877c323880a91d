import { UserError } from '../common/errors.js';
import { SPACE_SYMBOL } from './normalizer.js';
import { orderWords } from './word-order.js';
import type { WordTable } from './word-table.js';

/** A cell that has gone into the symbol at its left, and one between words. */
export const MERGED = 0;
export const BORDER = -1;

const CODE_POINTS = 0x110000;
const SPACE_CODE = SPACE_SYMBOL.codePointAt(0)!;
/** Cells are numbered by 32-bit integers. */
const MOST_CELLS = 2 ** 31 - 1;

/**
 * All words one after the other, by falling count, a cell for a character and one before, between and after words. A
 * merge leaves its symbol in the first of its cells.
 */
export class MergeText {
  readonly cells: Int32Array;
  /** The code points by their rank, and the rank of each cell's character, which stays. */
  readonly codePoints: readonly number[];
  private readonly ranks: Uint16Array | Uint32Array;
  /** Where the words of each count start, with the end, and that count. */
  private readonly starts: number[] = [];
  private readonly weights: number[] = [];
  private step = 0;

  constructor(words: WordTable) {
    let size = 1 + 2 * words.size;
    const seen = new Uint8Array(CODE_POINTS);
    seen[SPACE_CODE] = 1;
    for (let word = 0; word < words.size; word++) {
      words.eachCodePoint(word, (code) => {
        seen[code] = 1;
        size++;
      });
    }
    if (size > MOST_CELLS) throw tooLong();
    this.codePoints = [...seen.keys()].filter((code) => seen[code] === 1);
    this.cells = new Int32Array(size).fill(BORDER);
    this.ranks = new (this.codePoints.length > 2 ** 16 ? Uint32Array : Uint16Array)(size);
    this.fill(words);
  }

  /** How often the word of a cell was seen; quick where cells are asked for one after the other. */
  weightOf(cell: number): number {
    const { starts } = this;
    if (cell < starts[this.step]) this.step = 0;
    while (cell >= starts[this.step + 1]) this.step++;
    return this.weights[this.step];
  }

  /** Less than 0 where the `length` characters from cell `a` on stand before those from `b`, in the order of UTF-8. */
  compare(a: number, b: number, length: number): number {
    const { ranks } = this;
    for (let i = 0; i < length; i++) if (ranks[a + i] !== ranks[b + i]) return ranks[a + i] - ranks[b + i];
    return 0;
  }

  codePointAt(cell: number): number {
    return this.codePoints[this.ranks[cell]];
  }

  textAt(cell: number, length: number): string {
    return String.fromCodePoint(...Array.from({ length }, (_, i) => this.codePointAt(cell + i)));
  }

  /** Gives the cells the number of their character by first appearance, from 1. */
  private fill(words: WordTable): void {
    const { cells, ranks } = this;
    const rankOf = new Int32Array(CODE_POINTS);
    this.codePoints.forEach((code, rank) => {
      rankOf[code] = rank;
    });
    const symbols = new Int32Array(this.codePoints.length);
    let [end, last] = [0, 0];
    const put = (code: number): void => {
      const rank = rankOf[code];
      if (symbols[rank] === 0) symbols[rank] = ++last;
      cells[end] = symbols[rank];
      ranks[end++] = rank;
    };
    for (const word of orderWords(words)) {
      const weight = words.countOf(word);
      if (weight !== this.weights.at(-1)) {
        this.starts.push(end);
        this.weights.push(weight);
      }
      end++;
      put(SPACE_CODE);
      words.eachCodePoint(word, put);
    }
    this.starts.push(end + 1);
  }
}

function tooLong(): UserError {
  return new UserError({
    problem: `expected at most ${MOST_CELLS} characters in the different words of a text, found more`,
    hint: 'Train the tokenizer on a part of the text.',
  });
}
