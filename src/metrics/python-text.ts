/**
 * Text as Python's `str` methods see it. Python counts U+001C–U+001F and U+0085 as white space and U+FEFF not;
 * JavaScript's `\s` has it the other way round.
 */
const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const ONE_SPACE = new RegExp(`[${SPACE}]`);
const WORDS = new RegExp(`[^${SPACE}]+`, 'g');

/** `text.split()`: the runs of characters that are not white space. */
export function splitWords(text: string): string[] {
  return text.match(WORDS) ?? [];
}

/** `text.rstrip()`. Walks from the end: a regular expression with `$` takes quadratic time on inner white space. */
export function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ONE_SPACE.test(text[end - 1])) end--;
  return text.slice(0, end);
}

/** `text.strip()`. */
export function strip(text: string): string {
  let start = 0;
  while (start < text.length && ONE_SPACE.test(text[start])) start++;
  return stripEnd(text.slice(start));
}

/** The characters (code points) of `text` that are not white space. */
export function visibleCharacters(text: string): string[] {
  return Array.from(text).filter((character) => !ONE_SPACE.test(character));
}
