import { compareCodePoints } from '../common/code-points.js';
import type { Normalizer } from './normalizer.js';
import { SPACE_SYMBOL } from './normalizer.js';
import { ownString } from './own-string.js';
import { RARE } from './piece-rules.js';

/** spm_train's --max_sentence_length, in bytes. */
const MAX_LINE_BYTES = 4192;
/** Takes the place of symbols such as `<s>` that the text has, and is in no piece. */
const BOUNDARY = '\t';

/** A character or a word and how often it was seen. */
export type Count<T> = readonly [item: T, count: number];

/** Counts the words of a text, line by line (trainer_interface.cc, LoadSentences). Memory grows with words only. */
export class WordCounts {
  private readonly normalizer: Normalizer;
  private readonly symbols: RegExp;
  /** Words as the lines have them, where they may be normalised one by one, and normalised words. */
  private readonly raw = new Map<string, number>();
  private readonly normalized = new Map<string, number>();

  /** @param symbols the pieces that stand for something else than their text */
  constructor(normalizer: Normalizer, symbols: readonly string[]) {
    this.normalizer = normalizer;
    this.symbols = new RegExp(symbols.join('|'), 'g');
  }

  /** Counts a line; one of more than 4192 bytes, or with U+2585, is passed over. */
  add(line: string): void {
    if (line.includes(RARE) || Buffer.byteLength(line) > MAX_LINE_BYTES) return;
    if (this.normalizer.wordwise && !line.includes(SPACE_SYMBOL)) {
      for (const word of line.split(' ')) if (word !== '') increase(this.raw, word, 1);
    } else this.addNormalized(line, 1);
  }

  /** The words, U+2581 at the start; the character U+2585 in place of those that `isRare` names. */
  words(isRare: (character: string) => boolean): Count<string>[] {
    const words = new Map<string, number>();
    for (const [word, count] of this.finish()) {
      let text = '';
      for (const character of word) text += isRare(character) ? RARE : character;
      words.set(text, (words.get(text) ?? 0) + count);
    }
    return [...words].sort(([a, m], [b, n]) => n - m || compareCodePoints(a, b));
  }

  /** The characters by falling count, ties by code point. */
  characters(): Count<string>[] {
    const counts = new Map<string, number>();
    for (const [word, count] of this.finish()) {
      for (const character of word) {
        if (character !== '\0') counts.set(character, (counts.get(character) ?? 0) + count);
      }
    }
    return [...counts].sort(([a, m], [b, n]) => n - m || a.codePointAt(0)! - b.codePointAt(0)!);
  }

  private finish(): Map<string, number> {
    for (const [word, count] of this.raw) this.addNormalized(word, count);
    this.raw.clear();
    return this.normalized;
  }

  private addNormalized(text: string, count: number): void {
    const normalized = this.normalizer.normalize(text).replace(this.symbols, BOUNDARY);
    for (const word of normalized.split(/(?=\u2581)/))
      if (word !== '') increase(this.normalized, word, count);
  }
}

/** The characters that are to have a piece: the most frequent ones, up to a share of the text. */
export function coveringCharacters(counts: readonly Count<string>[], coverage: number): Count<string>[] {
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const covering: Count<string>[] = [];
  let covered = 0;
  for (const [character, count] of counts) {
    // Both are single precision there: with much text the rest may be too little to be seen.
    if (Math.fround(covered / total) >= Math.fround(coverage)) break;
    covered += count;
    if (character !== BOUNDARY) covering.push([character, count]);
  }
  return covering;
}

function increase(counts: Map<string, number>, word: string, by: number): void {
  const count = counts.get(word);
  if (count === undefined) counts.set(ownString(word), by);
  else counts.set(word, count + by);
}
