import { splitWords } from '../python-text.js';

/** Every ASCII punctuation mark but the apostrophe, comma, hyphen and full stop (and the space, to no effect). */
const PUNCTUATION = /[{-~[-` -&(-+:-@/]/g;
const STOP_AFTER_NON_DIGIT = /([^0-9])([.,])/g;
const STOP_BEFORE_NON_DIGIT = /([.,])([^0-9])/g;
const DASH_AFTER_DIGIT = /([0-9])(-)/g;

/**
 * The language-dependent part of mteval-v13a for Western languages: punctuation stands alone, but `.` and `,`
 * stay inside numbers. Working on UTF-16 units is exact: only ASCII is looked for, and no rule puts anything
 * between the halves of a surrogate pair.
 */
export function splitPunctuation(line: string): string[] {
  return splitWords(
    line
      .replace(PUNCTUATION, ' $& ')
      .replace(STOP_AFTER_NON_DIGIT, '$1 $2 ')
      .replace(STOP_BEFORE_NON_DIGIT, ' $1 $2')
      .replace(DASH_AFTER_DIGIT, '$1 $2 '),
  );
}

/** `13a`: the tokenization of mteval-v13a.pl as WMT uses it, the default. */
export function tokenize13a(line: string): string[] {
  let text = line.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  if (text.includes('&')) {
    text = text
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>');
  }
  return splitPunctuation(` ${text} `);
}
