import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinFingerprints } from '../../src/tokenizer/fingerprint.js';
import { HashOrder } from '../../src/tokenizer/hash-order.js';
import { selectGreatest } from '../../src/tokenizer/partial-sort.js';

/** What a C++ program with GNU's library printed for the same steps. */
const ORDER = [
  34, 25, 39, 10, 12, 31, 16, 11, 13, 9, 35, 6, 8, 26, 37, 15, 29, 36, 22, 7, 24, 40, 30, 17, 21, 38, 18, 19,
  20, 27, 14, 23, 28, 32, 33,
];
const SELECTED = [2, 4, 7, 9, 12, 14, 17, 22, 24, 27, 32, 37];

test('elements come in the order of std::unordered_map', () => {
  const order = new HashOrder();
  let key = { high: 0, low: 1 };
  for (let i = 1; i <= 40; i++) {
    key = joinFingerprints(key, { high: 0, low: i });
    order.insert(i, key.high, key.low);
    if (i % 7 === 0) order.erase(i / 7);
  }
  assert.deepEqual(key, { high: 0x88271cea, low: 0xffcfb583 });
  assert.deepEqual([...order], ORDER);
  assert.equal(order.size, 35);
});

test('equals are chosen as std::partial_sort chooses them', () => {
  const items = Array.from({ length: 40 }, (_, i) => i);
  selectGreatest(items, SELECTED.length, (item) => (item * 7) % 5);
  assert.deepEqual(
    items.slice(0, SELECTED.length).sort((a, b) => a - b),
    SELECTED,
  );
  selectGreatest(items, 0, (item) => item);
  assert.equal(new Set(items).size, 40);
});
