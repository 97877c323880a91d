import { strip } from '../python-text.js';
import { splitPunctuation } from './mteval.js';

/**
 * What sacreBLEU takes for a Chinese character. It means to name the CJK blocks, but its two ranges beyond the
 * BMP (extension B, compatibility supplement) are written with four hexadecimal digits: the first so covers
 * U+2001–U+2A6D (general punctuation, symbols, arrows, mathematics, …), the second nothing that is not listed
 * anyway, and no character beyond the BMP counts. Equal scores need the ranges as they are.
 */
const CHINESE_CHARACTER =
  /[\u2001-\u2a6d\u2e80-\u2fdf\u2ff0-\u303f\u3100-\u312f\u31a0-\u31ef\u3200-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef]/g;

/** `zh`: every Chinese character is a token, the rest is split as in mteval-v13a. */
export function tokenizeChinese(line: string): string[] {
  return splitPunctuation(strip(line).replace(CHINESE_CHARACTER, ' $& '));
}
