import { SPACE_SYMBOL } from './normalizer.js';
import { HAN, INHERITED, scriptOf } from './unicode-scripts.js';

/** U+2585 stands for rare characters while a model is trained: no piece has it. */
export const RARE = '\u2585';
const MAX_CHARACTERS = 16;
const SPACE_CODE = SPACE_SYMBOL.codePointAt(0)!;
const RARE_CODE = RARE.codePointAt(0)!;
/** Character and length mark that are written with Hiragana, Katakana and Han alike. */
const LONG_VOWEL_MARK = 0x30fc;
const KANA = new Set([scriptOf(0x3042), scriptOf(0x30a2)]);

/**
 * Whether these characters may be one piece (trainer_interface.cc, IsValidSentencePiece, with the defaults of
 * spm_train): 16 of them at most, a space at the start alone, and one script, where Japanese counts as one.
 */
export function isValidPiece(text: string): boolean {
  let previous = -1;
  let count = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (++count > MAX_CHARACTERS) return false;
    if (code === RARE_CODE || code === 0 || code === 0x09 || code === 0x20) return false;
    if (code === SPACE_CODE) {
      if (count > 1) return false;
      continue;
    }
    let script = scriptOf(code);
    if (code === LONG_VOWEL_MARK || KANA.has(script)) script = HAN;
    else if (script === INHERITED) script = previous;
    if (script !== -1 && previous !== -1 && script !== previous) return false;
    previous = script;
  }
  return count > 0;
}
