import { isUtf8 } from 'node:buffer';
import { compareCodePoints } from '../common/code-points.js';
import { UserError } from '../common/errors.js';
import { readFileBounded } from '../common/file-input.js';
import type { FileSum } from '../common/file-sum.js';
import { sha256 } from '../common/files.js';

/** Ids of the special symbols, the same in every dictionary. */
export const BOS = 0;
export const PAD = 1;
export const EOS = 2;
export const UNK = 3;

const SPECIALS = ['<s>', '<pad>', '</s>', '<unk>'];
/** Stands for nothing where its count is 0, too: it fills a dictionary up. */
const FILLING = /^madeupword\d{4,}$/;
/** Dictionaries are filled up to a multiple of this, which suits some hardware. */
const PADDING_FACTOR = 8;
const MAX_BYTES = 2 ** 28;
/** Far more than any vocabulary; they bound the memory. */
const MAX_SYMBOLS = 2 ** 22;
const NEWLINE = 10;

/** fairseq's mark at the end of a line: from there on the symbol stands for this line, whatever was before. */
const OVERWRITE = ' #fairseq:overwrite';

/** A symbol and how often it was seen. */
export type SymbolCount = readonly [symbol: string, count: number];
/** A line of dict.txt. */
type Entry = readonly [...SymbolCount, marked?: boolean];

/**
 * The symbols of one language and their ids, as fairseq's Dictionary has it (fairseq/data/dictionary.py): four
 * special symbols, then those of dict.txt in its order.
 */
export class Dictionary {
  /** Symbols with their counts by id, the special ones left out. */
  private readonly entries: readonly Entry[];
  /** Ids of what text may hold: `</s>` that someone has written is no end, and filling is no word. */
  private readonly indices = new Map<string, number>();

  private constructor(entries: readonly Entry[]) {
    this.entries = entries;
    // A symbol that is there twice keeps both ids; the later one is found. So it is in fairseq: up to 0.9 for every
    // symbol, since then for those that are marked, and the others are refused, which we do not.
    entries.forEach(([symbol, count], i) => {
      if (count !== 0 || !FILLING.test(symbol)) this.indices.set(symbol, SPECIALS.length + i);
    });
  }

  /**
   * The dictionary of counted symbols: by falling count, ties by code points, filled up to a multiple of 8 with
   * `madeupword0000` and so on (fairseq's `finalize` with its defaults).
   */
  static fromCounts(counts: Iterable<SymbolCount>): Dictionary {
    const entries = [...counts].sort(
      ([a, countOfA], [b, countOfB]) => countOfB - countOfA || compareCodePoints(a, b),
    );
    const taken = new Set(entries.map(([symbol]) => symbol));
    for (let i = 0; (SPECIALS.length + entries.length) % PADDING_FACTOR !== 0; i++) {
      const symbol = `madeupword${String(i).padStart(4, '0')}`;
      if (!taken.has(symbol)) entries.push([symbol, 0]);
    }
    return new Dictionary(entries);
  }

  /** The size of a dictionary of so many symbols, special symbols and filling included. */
  static sizeFor(symbols: number): number {
    return Math.ceil((SPECIALS.length + symbols) / PADDING_FACTOR) * PADDING_FACTOR;
  }

  /**
   * Reads a dict.txt.
   *
   * @param expected what was written, to be compared with what is read
   * @throws UserError with `file:line` for a line that is not a symbol and its count
   */
  static load(file: string, expected?: FileSum): Dictionary {
    return Dictionary.parse(readFileBounded(file, 'a dictionary', MAX_BYTES, expected), file);
  }

  /** As load, from the bytes of a dict.txt. @param file to name in an error */
  static parse(bytes: Buffer, file: string): Dictionary {
    if (!isUtf8(bytes)) throw notADictionary(file, 'bytes that are not UTF-8');
    const count = bytes.reduce((sum, byte) => (byte === NEWLINE ? sum + 1 : sum), 0);
    if (count > MAX_SYMBOLS) throw notADictionary(file, `${count} lines, of at most ${MAX_SYMBOLS}`);
    const lines = bytes.toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    if (lines.length === 0) throw notADictionary(file, 'an empty file');
    return new Dictionary(
      lines.map((line, i) => {
        const entry = parseLine(line.trimEnd());
        if (entry === undefined) throw notADictionary(`${file}:${i + 1}`, `'${line.slice(0, 60)}'`);
        return entry;
      }),
    );
  }

  /** Number of symbols, special ones included. */
  get size(): number {
    return SPECIALS.length + this.entries.length;
  }

  /** Id of a piece of text; that of `<unk>` where it is not in the dictionary, as the special symbols and filling are not. */
  indexOf(symbol: string): number {
    return this.indices.get(symbol) ?? UNK;
  }

  /** Symbol of an id; `<unk>` where there is no such id. */
  symbolOf(id: number): string {
    return SPECIALS[id] ?? this.entries[id - SPECIALS.length]?.[0] ?? SPECIALS[UNK];
  }

  /** How often a symbol was seen when the dictionary was made (special symbols: 0). */
  countOf(id: number): number {
    return this.entries[id - SPECIALS.length]?.[1] ?? 0;
  }

  /** The text of dict.txt. */
  serialize(): string {
    return this.entries
      .map(([symbol, count, marked]) => `${symbol} ${count}${marked ? OVERWRITE : ''}\n`)
      .join('');
  }

  /** SHA-256 of dict.txt. */
  get hash(): string {
    return sha256(this.serialize());
  }
}

/** Reads `symbol count` or `symbol count #fairseq:overwrite` (fairseq's Dictionary.add_from_file). */
function parseLine(line: string): Entry | undefined {
  const marked = line.endsWith(OVERWRITE);
  const text = marked ? line.slice(0, -OVERWRITE.length) : line;
  const space = text.lastIndexOf(' ');
  const count = text.slice(space + 1);
  if (space < 1 || !/^-?\d{1,15}$/.test(count)) return undefined;
  return marked ? [text.slice(0, space), Number(count), true] : [text.slice(0, space), Number(count)];
}

function notADictionary(where: string, found: string): UserError {
  return new UserError({
    problem: `expected a dictionary with lines of 'symbol count', found ${found}`,
    where,
    hint: 'The file is damaged or is no dictionary; make it again with `admin-nmt preprocess`.',
  });
}
