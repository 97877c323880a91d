import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinScripts, NO_PIECE, pieceScript } from '../../src/tokenizer/piece-rules.js';
import { HAN, INHERITED, scriptOf } from '../../src/tokenizer/unicode-scripts.js';

/** Characters whose script is another one in later versions of Unicode. */
const CHANGED = new Set([0x953, 0x954]);

test('scripts are those of Node, but for characters that Unicode 9.0 had elsewhere or not at all', () => {
  const samples: Record<string, number> = {
    Latin: scriptOf(0x61),
    Greek: scriptOf(0x3b1),
    Cyrillic: scriptOf(0x436),
    Hebrew: scriptOf(0x5d0),
    Arabic: scriptOf(0x627),
    Devanagari: scriptOf(0x915),
    Thai: scriptOf(0xe01),
    Hangul: scriptOf(0xac00),
    Hiragana: scriptOf(0x3042),
    Katakana: scriptOf(0x30a2),
    Adlam: scriptOf(0x1e900),
    Han: HAN,
    Inherited: INHERITED,
  };
  assert.equal(new Set(Object.values(samples)).size, Object.keys(samples).length);
  for (const [name, number] of Object.entries(samples)) {
    const pattern = new RegExp(`\\p{Script=${name}}`, 'u');
    for (let code = 0; code < 0x110000; code++) {
      if (scriptOf(code) !== number || CHANGED.has(code)) continue;
      assert.ok(pattern.test(String.fromCodePoint(code)), `U+${code.toString(16)} is ${name}`);
    }
  }
  assert.equal(scriptOf(0x41), scriptOf(0xff21));
  assert.equal(scriptOf(0x31), 0);
});

test('what can be one piece', () => {
  const isPiece = (text: string): boolean =>
    Array.from(text, (character) => pieceScript(character.codePointAt(0)!)).reduce((left, right) =>
      joinScripts(left, right),
    ) !== NO_PIECE;
  const valid = ['a', '\u2581', '\u2581ab', 'ab', '1.5', 'のカ漢ー', 'e\u0301', '\u0301', '\u{1f300}'];
  for (const text of valid) assert.ok(isPiece(text), text);
  const invalid = ['a1', 'aж', '\u0301a\u0301ж', 'a\u2585', '\u2585a', '\u2585', '\t', 'a b', '\0', 'aー'];
  for (const text of invalid) assert.ok(!isPiece(text), text);
});
