import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WordCache } from '../../src/tokenizer/word-cache.js';

test('words are found once, while they are asked for', () => {
  const cache = new WordCache<string>();
  let found = 0;
  const find = (word: string): string => {
    found++;
    return word.toUpperCase();
  };
  for (let i = 0; i < 300_000; i++) {
    assert.equal(cache.get('often', find), 'OFTEN');
    cache.get(`word ${i}`, find);
  }
  assert.equal(found, 300_001);
  assert.equal(cache.get('word 1', find), 'WORD 1');
  assert.equal(found, 300_002, 'forgotten');
});

test('long words are not kept', () => {
  const cache = new WordCache<number>();
  let found = 0;
  for (let i = 0; i < 3; i++) cache.get('x'.repeat(65), () => ++found);
  assert.equal(found, 3);
});
