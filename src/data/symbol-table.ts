import { Dictionary, EOS, UNK } from './dictionary.js';

/** A line in pieces. */
export interface Segmentation {
  /** What the line has there, where a piece is unknown. */
  readonly pieces: readonly string[];
  readonly ids: ArrayLike<number>;
}

/** A tokenizer, as far as a dataset needs one. */
export interface PieceModel {
  /** Symbols of its pieces by id; undefined for unknown and control pieces, which have no place in a dictionary. */
  readonly symbols: readonly (string | undefined)[];
  encode(line: string): Segmentation;
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

  /**
   * The number of each piece: provisional before `finish`, then that of the dictionary. One that is given may know text
   * which the tokenizer does not, such as rare characters.
   */
  number({ pieces, ids }: Segmentation): Int32Array {
    const { numbers, finalIds, given } = this;
    const found = new Int32Array(ids.length);
    for (let i = 0; i < found.length; i++) {
      const id = numbers[ids[i]];
      if (given !== undefined && id === UNK) found[i] = given.indexOf(pieces[i]);
      else found[i] = finalIds === undefined ? id : finalIds[id];
    }
    return found;
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
