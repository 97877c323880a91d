import { Dictionary, EOS, UNK } from './dictionary.js';

/** A tokenizer, as far as a dataset needs one. */
export interface PieceModel {
  /** Symbols of its pieces by id; undefined for unknown and control pieces, which have no place in a dictionary. */
  readonly symbols: readonly (string | undefined)[];
  /** Ids of the pieces of a line. */
  encode(line: string): ArrayLike<number>;
}

const FIRST = UNK + 1;
/** They would end the line of dict.txt. */
const LINE_BREAK = /[\n\r]/;
const RESERVED = new Set(['<s>', '<pad>', '</s>', '<unk>']);

/**
 * Numbers and counts the pieces of a tokenizer before their order in the dictionary is known: that depends on the
 * counts. The numbers are those of a dictionary in the tokenizer's order, so they fit the same type.
 */
export class SymbolTable {
  private readonly symbols: string[] = [];
  private readonly numbers: Int32Array;
  private readonly counts: Float64Array;
  private readonly given: Dictionary | undefined;
  private finalIds: Int32Array | undefined;

  /** @param given the dictionary, where it is known: the numbers are then its own from the start */
  constructor({ symbols }: PieceModel, given?: Dictionary) {
    this.given = given;
    this.numbers = Int32Array.from(symbols, (symbol) => {
      if (symbol === undefined || LINE_BREAK.test(symbol) || RESERVED.has(symbol)) return UNK;
      return given === undefined ? FIRST + this.symbols.push(symbol) - 1 : given.indexOf(symbol);
    });
    this.counts = new Float64Array(given?.size ?? FIRST + this.symbols.length);
  }

  /** Size of the dictionary. */
  get size(): number {
    return this.given?.size ?? Dictionary.sizeFor(this.symbols.length);
  }

  /** The number of each piece: provisional before `finish`, then that of the dictionary. */
  number(pieces: ArrayLike<number>): Int32Array {
    const { numbers, finalIds } = this;
    const ids = new Int32Array(pieces.length);
    for (let i = 0; i < pieces.length; i++) {
      const id = numbers[pieces[i]];
      ids[i] = finalIds === undefined ? id : finalIds[id];
    }
    return ids;
  }

  count(numbers: Int32Array): void {
    for (const number of numbers) this.counts[number]++;
  }

  /** The dictionary of what was counted, and the id in it of each provisional number; the one given has none. */
  finish(): { dictionary: Dictionary; ids?: Int32Array } {
    if (this.given !== undefined) return { dictionary: this.given };
    const dictionary = Dictionary.fromCounts(
      this.symbols.map((symbol, i) => [symbol, this.counts[FIRST + i]]),
    );
    const ids = new Int32Array(this.counts.length).fill(UNK);
    ids[EOS] = EOS;
    this.symbols.forEach((symbol, i) => {
      ids[FIRST + i] = dictionary.indexOf(symbol);
    });
    this.finalIds = ids;
    return { dictionary, ids };
  }
}
