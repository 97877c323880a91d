import type { IdList } from '../common/id-list.js';
import { Dictionary, EOS, UNK } from './dictionary.js';

/** A tokenizer, as far as a dataset needs one. */
export interface PieceModel {
  /** Symbols of its pieces by id; undefined for unknown and control pieces, which have no place in a dictionary. */
  readonly symbols: readonly (string | undefined)[];
  /** Adds the ids of the pieces of a line to others. @param line in UTF-8 */
  appendIds(line: Buffer, ids: IdList): void;
  /** The pieces of a line: what it has there, where one is unknown. */
  encode(line: string): readonly string[];
}

/** The numbers of pieces in a dataset. Threads are given it in parts. */
export interface Numbering {
  /** By the id of the piece. */
  readonly numbers: Int32Array;
  /** May know text which the tokenizer does not, such as rare characters. */
  readonly given?: Dictionary;
}

/**
 * Puts numbers in place of the ids of pieces.
 *
 * @param first place of the ids of the line in the list
 * @param pieces of the line
 */
export function numberPieces(
  ids: IdList,
  first: number,
  { numbers, given }: Numbering,
  pieces: () => readonly string[],
): void {
  const { values, length } = ids;
  let isUnknown = false;
  for (let i = first; i < length; i++) {
    values[i] = numbers[values[i]];
    if (values[i] === UNK) isUnknown = true;
  }
  if (given === undefined || !isUnknown) return;
  const texts = pieces();
  for (let i = first; i < length; i++) if (values[i] === UNK) values[i] = given.indexOf(texts[i - first]);
}

/** The pieces of a tokenizer of which each side is given only some: those of either. */
export function ofEither(source: PieceModel, target: PieceModel): Pick<PieceModel, 'symbols'> {
  return { symbols: source.symbols.map((symbol, id) => symbol ?? target.symbols[id]) };
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
  constructor({ symbols }: Pick<PieceModel, 'symbols'>, given?: Dictionary) {
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
  get numbering(): Numbering {
    const { numbers, finalIds, given } = this;
    return { numbers: finalIds === undefined ? numbers : numbers.map((id) => finalIds[id]), given };
  }

  /** Counts ids[from], …, ids[to − 1]. */
  count(ids: Int32Array, from: number, to: number): void {
    for (let i = from; i < to; i++) this.counts[ids[i]]++;
  }

  /**
   * The number of each id of a dictionary that was made of these pieces before; where this one is given it is the same one,
   * and each id its own number.
   */
  numbersOf(before: Dictionary): Int32Array {
    const { given, finalIds } = this;
    if (given !== undefined) return Int32Array.from({ length: before.size }, (_, id) => id);
    const numbers = new Int32Array(before.size).fill(UNK);
    this.symbols.forEach((symbol, i) => {
      numbers[before.indexOf(symbol)] = finalIds?.[FIRST + i] ?? FIRST + i;
    });
    numbers[UNK] = UNK;
    numbers[EOS] = EOS;
    return numbers;
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
