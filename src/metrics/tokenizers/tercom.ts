import { splitWords, stripEnd } from '../python-text.js';
import type { Tokenize } from './tokenizer.js';

export interface TercomOptions {
  /** Set punctuation apart, undo XML escapes and join lines. */
  normalized?: boolean;
  /** Drop punctuation marks. */
  noPunct?: boolean;
  /** Where normalizing: every Chinese character is a token; where dropping: so are the marks of Asian scripts. */
  asianSupport?: boolean;
  caseSensitive?: boolean;
}

// Some ASCII ranges look odd, but they are Tercom's: apostrophe, comma, hyphen and full stop have rules of their own.
const WESTERN_PUNCTUATION = /[{-~[-` -&(-+:-@/]/g;
const ASIAN_PUNCTUATION =
  '\\u3001\\u3002\\u3008-\\u3011\\u3014-\\u301f\\u30fb\\uff61-\\uff65\\uff0e\\uff0c\\uff1f\\uff1a\\uff1b\\uff01\\uff02\\uff08\\uff09';
const EACH_ASIAN_PUNCTUATION = new RegExp(`[${ASIAN_PUNCTUATION}]`, 'g');
/**
 * Characters that are tokens by themselves: strokes, radicals, ideographs and their compatibility blocks. The range from
 * U+3200 ends at U+3F22 in sacreBLEU, a slip for U+32FF, which takes in nothing else: U+3300–U+4DBF are listed anyway.
 */
const EACH_IDEOGRAPH = new RegExp(
  `[\\u2e80-\\u2eff\\u31c0-\\u31ef\\u3200-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\ufe30-\\ufe4f${ASIAN_PUNCTUATION}]`,
  'g',
);

/**
 * The tokenizer of Tercom (Snover et al., 2006; its Normalizer.java), as sacreBLEU's tokenizers/tokenizer_ter.py has it.
 * By default it lower-cases and splits at white space.
 */
export function tercomTokenizer(options: TercomOptions = {}): Tokenize {
  const { normalized = false, noPunct = false, asianSupport = false, caseSensitive = false } = options;
  return (line) => {
    let text = stripEnd(line);
    if (!caseSensitive) text = text.toLowerCase();
    if (normalized) text = normalizeWestern(text);
    // sacreBLEU's rules for kana are tied to the start of the line, where normalizing puts a space: they never apply.
    if (normalized && asianSupport) text = text.replace(EACH_IDEOGRAPH, ' $& ');
    if (noPunct) text = text.replace(/[.,?:;!"()]/g, '');
    if (noPunct && asianSupport) text = text.replace(EACH_ASIAN_PUNCTUATION, '');
    return splitWords(text);
  };
}

function normalizeWestern(text: string): string {
  const joined = text
    .replaceAll('\n-', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
  return ` ${joined} `
    .replace(WESTERN_PUNCTUATION, ' $& ')
    .replaceAll("'s ", " 's ")
    .replace(/([^0-9])([.,])/gu, '$1 $2 ')
    .replace(/([.,])([^0-9])/gu, ' $1 $2')
    .replace(/([0-9])-/g, '$1 - ');
}
