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
  return splitPunctuation(` ${normalize(line)} `);
}

/** Looks before it replaces: replacing costs more than the rest of the tokenization, and few lines need any of it. */
function normalize(line: string): string {
  let text = line.includes('<skipped>') ? line.replaceAll('<skipped>', '') : line;
  if (text.includes('\n')) text = text.replaceAll('-\n', '').replaceAll('\n', ' ');
  if (!text.includes('&')) return text;
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
}
