import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Purpose, RandomStream } from '../../src/common/rng.js';
import { orderWords } from '../../src/tokenizer/word-order.js';
import { buffersOf, WordTable } from '../../src/tokenizer/word-table.js';

const random = new RandomStream({ seed: 1, step: 0, purpose: Purpose.test });

/** Words with much in common: prefixes of each other, NUL at the end, characters of one to four bytes, the empty one. */
function drawWord(): string {
  const letters = ['a', 'b', 'ab', '\0', 'é', '€', '😀', 'abcd'];
  return Array.from({ length: random.nextBelow(7) }, () => letters[random.nextBelow(letters.length)]).join(
    '',
  );
}

function tableOf(words: readonly string[]): WordTable {
  const table = new WordTable();
  for (const word of words) {
    const bytes = Buffer.from(`<${word}>`);
    table.add(bytes, 1, bytes.length - 1, 1);
  }
  return table;
}

function countsOf(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

const entries = (table: WordTable): [string, number][] =>
  Array.from(orderWords(table), (word) => [table.text(word), table.countOf(word)]);

/** What the table must give: by falling count, then by bytes. */
const sorted = (counts: Map<string, number>): [string, number][] =>
  [...counts].sort(([a, m], [b, n]) => n - m || Buffer.compare(Buffer.from(a), Buffer.from(b)));

const words = Array.from({ length: 30_000 }, drawWord);

test('words are counted as a Map counts them, and come by falling count, then by their bytes', () => {
  const table = tableOf(words);
  const expected = sorted(countsOf(words));
  assert.ok(expected.length > 10_000);
  assert.deepEqual(entries(table), expected);
  const codes = Array.from(expected[expected.length - 1][0], (character) => character.codePointAt(0));
  const seen: number[] = [];
  table.eachCodePoint(orderWords(table)[expected.length - 1], (code) => seen.push(code));
  assert.deepEqual(seen, codes);
});

test('parts that were counted elsewhere are added, in any order, and may be transferred', () => {
  const parts = [words.slice(0, 9000), words.slice(9000, 9001), [], words.slice(9001)];
  for (const order of [parts, parts.toReversed()]) {
    const sum = new WordTable();
    for (const part of order) {
      const table = tableOf(part);
      const taken = table.take();
      assert.equal(table.size, 0);
      const transfer = buffersOf(taken);
      const received = structuredClone(taken, { transfer });
      assert.ok(transfer.every(({ byteLength }) => byteLength === 0));
      sum.give(received);
    }
    assert.deepEqual(entries(sum), sorted(countsOf(words)));
    for (const word of ['a', 'new word']) sum.add(Buffer.from(word), 0, word.length, 1);
    assert.deepEqual(entries(sum), sorted(countsOf([...words, 'a', 'new word'])));
  }
});

test('more words than a chunk of their bytes holds', () => {
  const table = new WordTable();
  const word = Buffer.alloc(50_000, 'x');
  for (let i = 0; i < 100; i++) {
    word.writeUInt8(i, 40_000);
    table.add(word, 0, word.length, i + 1);
  }
  for (let i = 0; i < 100; i++) {
    word.writeUInt8(i, 40_000);
    table.add(word, 0, word.length, 1);
  }
  assert.equal(table.size, 100);
  assert.deepEqual(
    Array.from(orderWords(table), (entry) => table.countOf(entry)),
    Array.from({ length: 100 }, (_, i) => 101 - i),
  );
});
