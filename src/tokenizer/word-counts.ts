import type { Normalizer } from './normalizer.js';
import { SPACE_SYMBOL } from './normalizer.js';
import { RARE } from './piece-rules.js';
import { WordTable, type WordTableParts } from './word-table.js';

/** spm_train's --max_sentence_length, in bytes. */
const MAX_LINE_BYTES = 4192;
/** Takes the place of symbols such as `<s>` that the text has, and is in no piece. */
const BOUNDARY = '\t';
const SPACE = 0x20;
const CODE_POINTS = 0x110000;

/** A character and how often it was seen. */
export type Count = readonly [character: string, count: number];

/** Words as they were counted in one place, to be added to the counts of another. */
export interface CountedWords {
  readonly raw: WordTableParts;
  readonly normalized: WordTableParts;
}

/**
 * Counts the words of a text, line by line (trainer_interface.cc, LoadSentences). Memory grows with words only. All
 * words begin with U+2581, which the tables leave out.
 */
export class WordCounts {
  private readonly normalizer: Normalizer;
  private readonly symbols: RegExp;
  /** Bytes that keep a word from being its own normal form: of white space, beyond ASCII, and what symbols begin with. */
  private readonly marks: Uint8Array;
  private readonly line = Buffer.alloc(3 * MAX_LINE_BYTES);
  private word = Buffer.alloc(MAX_LINE_BYTES);
  /** Words as the lines have them, where they may be normalised one by one, and normalised words. */
  private raw = new WordTable();
  private readonly normalized = new WordTable();

  /** @param symbols the pieces that stand for something else than their text; no white space is in them */
  constructor(normalizer: Normalizer, symbols: readonly string[]) {
    this.normalizer = normalizer;
    // The longest of those that begin alike.
    const longest = symbols.toSorted((a, b) => b.length - a.length);
    this.symbols = new RegExp(longest.map(escapeRegExp).join('|'), 'g');
    this.marks = Uint8Array.from({ length: 256 }, (_, byte) => (byte <= SPACE || byte >= 0x7f ? 1 : 0));
    for (const symbol of symbols) this.marks[Buffer.from(symbol)[0]] = 1;
    if (!normalizer.keepsAscii) this.marks.fill(1);
  }

  /** Counts a line; one of more than 4192 bytes, or with U+2585, is passed over. */
  add(line: string): void {
    if (line.length > MAX_LINE_BYTES || line.includes(RARE)) return;
    const length = this.line.write(line);
    if (length > MAX_LINE_BYTES) return;
    if (this.normalizer.wordwise && !line.includes(SPACE_SYMBOL)) this.addWords(length);
    else this.addNormalized(line, 1);
  }

  /** Takes all counts out, as typed arrays that may be transferred between threads. */
  take(): CountedWords {
    return { raw: this.raw.take(), normalized: this.normalized.take() };
  }

  /** Adds counts that were taken from others: the sum is that of counting all lines here, in whatever order. */
  give({ raw, normalized }: CountedWords): void {
    this.raw.give(raw);
    this.normalized.give(normalized);
  }

  /** The words. The character U+2585 stands in place of those that `isRare` names. */
  words(isRare: (codePoint: number) => boolean): WordTable {
    const counted = this.finish();
    if (!hasAny(counted, isRare)) return counted;
    const words = new WordTable();
    for (let word = 0; word < counted.size; word++) {
      let text = '';
      for (const character of counted.text(word))
        text += isRare(character.codePointAt(0)!) ? RARE : character;
      this.addText(words, text, counted.countOf(word));
    }
    return words;
  }

  /** The characters by falling count, ties by code point. */
  characters(): Count[] {
    const words = this.finish();
    const counts = new Float64Array(CODE_POINTS);
    for (let word = 0; word < words.size; word++) {
      const count = words.countOf(word);
      counts[SPACE_SYMBOL.codePointAt(0)!] += count;
      words.eachCodePoint(word, (code) => {
        counts[code] += count;
      });
    }
    counts[0] = 0;
    const seen: number[] = [];
    counts.forEach((count, code) => {
      if (count > 0) seen.push(code);
    });
    return seen
      .sort((a, b) => counts[b] - counts[a] || a - b)
      .map((code) => [String.fromCodePoint(code), counts[code]]);
  }

  private finish(): WordTable {
    const { raw } = this;
    this.raw = new WordTable();
    for (let word = 0; word < raw.size; word++) {
      const [chunk, start, end] = [raw.chunk(word), raw.start(word), raw.start(word) + raw.byteLength(word)];
      if (this.isPlain(chunk, start, end)) this.normalized.add(chunk, start, end, raw.countOf(word));
      else this.addNormalized(raw.text(word), raw.countOf(word));
    }
    return this.normalized;
  }

  /** Whether a word is its own normal form to all appearances. */
  private isPlain(bytes: Uint8Array, start: number, end: number): boolean {
    for (let i = start; i < end; i++) if (this.marks[bytes[i]] === 1) return false;
    return true;
  }

  /** Counts the words of the first bytes of `line`. */
  private addWords(length: number): void {
    const { line, raw } = this;
    let start = 0;
    for (let end = 0; end <= length; end++) {
      if (end < length && line[end] !== SPACE) continue;
      if (end > start) raw.add(line, start, end, 1);
      start = end + 1;
    }
  }

  private addNormalized(text: string, count: number): void {
    const normalized = this.normalizer.normalize(text).replace(this.symbols, BOUNDARY);
    if (normalized === '') return;
    for (const word of normalized.slice(SPACE_SYMBOL.length).split(SPACE_SYMBOL))
      this.addText(this.normalized, word, count);
  }

  private addText(table: WordTable, text: string, count: number): void {
    if (3 * text.length > this.word.length) this.word = Buffer.alloc(6 * text.length);
    table.add(this.word, 0, this.word.write(text), count);
  }
}

/** The characters that are to have a piece: the most frequent ones, up to a share of the text. */
export function coveringCharacters(counts: readonly Count[], coverage: number): string[] {
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const covering: string[] = [];
  let covered = 0;
  for (const [character, count] of counts) {
    // Both are single precision there: with much text the rest may be too little to be seen.
    if (Math.fround(covered / total) >= Math.fround(coverage)) break;
    covered += count;
    if (character !== BOUNDARY) covering.push(character);
  }
  return covering;
}

function hasAny(words: WordTable, isRare: (codePoint: number) => boolean): boolean {
  let found = false;
  for (let word = 0; word < words.size && !found; word++) {
    words.eachCodePoint(word, (code) => {
      found ||= isRare(code);
    });
  }
  return found;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
