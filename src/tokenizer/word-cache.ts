import { ownString } from './own-string.js';

const MAX_WORDS = 2 ** 16;
const MAX_WORD_LENGTH = 64;

/**
 * Remembers what words have been found to be. Memory is bounded: when so many words are there, those that were not
 * asked for since the last time are forgotten. Long words are not kept.
 */
export class WordCache<T> {
  private recent = new Map<string, T>();
  private older = new Map<string, T>();

  /** What is known of a word, or what `find` makes of it. */
  get(word: string, find: (word: string) => T): T {
    const known = this.recent.get(word);
    if (known !== undefined) return known;
    const value = this.older.get(word) ?? find(word);
    if (word.length > MAX_WORD_LENGTH) return value;
    if (this.recent.size >= MAX_WORDS) [this.recent, this.older] = [new Map(), this.recent];
    this.recent.set(ownString(word), value);
    return value;
  }
}
