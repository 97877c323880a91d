import { SPACE_SYMBOL } from './normalizer.js';
import { HAN, INHERITED, scriptOf } from './unicode-scripts.js';

/** U+2585 stands for rare characters while a model is trained: no piece has it. */
export const RARE = '\u2585';
/** Characters of a piece at most. */
export const MAX_CHARACTERS = 16;
const SPACE_CODE = SPACE_SYMBOL.codePointAt(0)!;
const RARE_CODE = RARE.codePointAt(0)!;
/** Character and length mark that are written with Hiragana, Katakana and Han alike. */
const LONG_VOWEL_MARK = 0x30fc;
const KANA = new Set([scriptOf(0x3042), scriptOf(0x30a2)]);
/** In place of a script: that of a character which goes with any, and of one which is in no piece. */
const ANY_SCRIPT = 254;
export const NO_PIECE = 255;

/**
 * What may be one piece (trainer_interface.cc, IsValidSentencePiece, with the defaults of spm_train): MAX_CHARACTERS at
 * most, of one script, where Japanese counts as one. A space stands at the start alone, for no word has it elsewhere.
 */

/** The script that a character brings into a piece. */
export function pieceScript(code: number): number {
  if (code === RARE_CODE || code === 0 || code === 0x09 || code === 0x20) return NO_PIECE;
  if (code === SPACE_CODE) return ANY_SCRIPT;
  const script = scriptOf(code);
  if (code === LONG_VOWEL_MARK || KANA.has(script)) return HAN;
  return script === INHERITED ? ANY_SCRIPT : script;
}

/** The script of a piece that is made of two others; NO_PIECE where it would have two scripts. */
export function joinScripts(left: number, right: number): number {
  if (left === right || right === ANY_SCRIPT) return left;
  return left === ANY_SCRIPT ? right : NO_PIECE;
}
