import { splitWords } from '../python-text.js';

const PUNCTUATION_AFTER_NON_NUMBER = /(\P{N})(\p{P})/gu;
const PUNCTUATION_BEFORE_NON_NUMBER = /(\p{P})(\P{N})/gu;
const SYMBOL = /\p{S}/gu;

/**
 * `intl`: mteval-v14.pl's international tokenization. Punctuation and symbols of every script stand alone;
 * punctuation between two numbers stays, and so does a full stop after a number that ends the line (as in
 * mteval-v14, which does not pad the line). The classes are those of the Unicode version of the JavaScript engine.
 */
export function tokenizeInternational(line: string): string[] {
  return splitWords(
    line
      .replace(PUNCTUATION_AFTER_NON_NUMBER, '$1 $2 ')
      .replace(PUNCTUATION_BEFORE_NON_NUMBER, ' $1 $2')
      .replace(SYMBOL, ' $& '),
  );
}
