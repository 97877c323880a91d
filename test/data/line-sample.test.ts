import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawLines, isDrawn } from '../../src/data/line-sample.js';

const drawn = (lines: number, wanted: number): number[] => {
  const has = isDrawn(drawLines(lines, wanted));
  return Array.from({ length: lines }, (_, line) => line).filter(has);
};

test('as many lines as are wanted, from everywhere in the text', () => {
  for (const [lines, wanted] of [
    [1, 1],
    [10, 3],
    [1000, 999],
    [200_000, 1],
    [200_000, 123_456],
  ]) {
    assert.equal(drawn(lines, wanted).length, wanted);
  }
  const halves = drawn(20_000, 2000).filter((line) => line < 10_000).length;
  assert.ok(halves > 900 && halves < 1100, `${halves} in the first half`);
});

test('a larger sample has all lines of a smaller one', () => {
  const large = new Set(drawn(5000, 2000));
  assert.ok(drawn(5000, 500).every((line) => large.has(line)));
});

test('all lines where as many are wanted or more', () => {
  for (const wanted of [100, 101, 1e9]) assert.equal(drawn(100, wanted).length, 100);
});
