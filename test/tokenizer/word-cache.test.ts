import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HASH_PRIME, HASH_START, WordCache } from '../../src/tokenizer/word-cache.js';

/** A cache that counts how often it asks what a word is: the code units of it. */
function counting(hash: (bytes: Buffer) => number) {
  const cache = new WordCache();
  const counter = { asked: 0 };
  const find = (word: string): Int32Array => {
    counter.asked++;
    return Int32Array.from(word, (character) => character.codePointAt(0)!);
  };
  const get = (word: string): string => {
    const bytes = Buffer.from(`x${word}y`);
    cache.get(bytes, 1, bytes.length - 1, hash(bytes.subarray(1, -1)), find);
    return String.fromCodePoint(...cache.ids.subarray(cache.from, cache.to));
  };
  return { get, counter };
}

const fnv = (bytes: Buffer): number =>
  bytes.reduce((hash, byte) => Math.imul(hash ^ byte, HASH_PRIME), HASH_START);

test('words are found once, while they are asked for', () => {
  const { get, counter } = counting(fnv);
  for (let i = 0; i < 300_000; i++) {
    get('öfter');
    get(`word${i}`);
  }
  assert.equal(counter.asked, 300_001);
  assert.equal(get('öfter'), 'öfter');
  assert.equal(counter.asked, 300_001);
  assert.equal(get('word1'), 'word1');
  assert.equal(counter.asked, 300_002, 'forgotten');
});

test('words of one hash are told apart, and the start of a word is not the word', () => {
  const { get, counter } = counting(() => 7);
  const words = ['a', 'ab', 'ba', 'abc', 'b', 'abd', 'ä'];
  for (let i = 0; i < 2; i++) for (const word of words) assert.equal(get(word), word);
  assert.equal(counter.asked, words.length);
});

test('long words are not kept', () => {
  const { get, counter } = counting(fnv);
  for (let i = 0; i < 3; i++) assert.equal(get('x'.repeat(65)), 'x'.repeat(65));
  assert.equal(counter.asked, 3);
  for (let i = 0; i < 3; i++) get('x'.repeat(64));
  assert.equal(counter.asked, 4);
});
