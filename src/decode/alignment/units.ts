import { splitWords } from '../../metrics/python-text.js';

/** A text in the pieces that a model has of it, and in words: what white space parts. `</s>` is left out. */
export interface Units {
  readonly pieces: readonly string[];
  readonly words: readonly string[];
  /** For each piece the place of its word. */
  readonly wordOf: readonly number[];
}

/**
 * Tells the words of a text by what its first pieces spell, so that any tokenizer does: a piece is of the word that it
 * begins, or ends in.
 *
 * @param textOf the text of so many of the first pieces
 */
export function unitsOf(pieces: readonly string[], textOf: (count: number) => string): Units {
  const words = splitWords(textOf(pieces.length));
  const wordOf = pieces.map((_, i) => {
    const text = textOf(i + 1);
    // A mark of a word's beginning that stands by itself is of the word that follows.
    const begun = splitWords(text).length - (endsInWord(text) ? 1 : 0);
    return Math.max(0, Math.min(begun, words.length - 1));
  });
  return { pieces, words, wordOf };
}

/** Whether its last character is no white space. */
const endsInWord = (text: string): boolean => splitWords(text.slice(-1)).length > 0;
