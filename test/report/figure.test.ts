import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figure, rangeOf, yOf } from '../../src/report/figure.js';

test('a range has air around it, and height even for one value', () => {
  const [low, high] = rangeOf([1, 2]);
  assert.ok(low < 1 && high > 2);
  for (const value of [0, 5, -5]) {
    const [bottom, top] = rangeOf([value]);
    assert.ok(bottom < value && value < top);
  }
});

test('greater values stand higher, inside the picture', () => {
  const frame = { width: 100, height: 100, range: [0, 1] as const };
  assert.ok(yOf(frame, 1) < yOf(frame, 0));
  assert.match(figure('<a>', frame, 'b"', []), /<figcaption>&lt;a&gt;.*aria-label="b&quot;"/);
});

test('three lines with their values, at the ends and half way between', () => {
  const html = figure('a', { width: 100, height: 100, range: [1, 4] }, 'b', []);
  const [top, middle, bottom] = [...html.matchAll(/class="grid"[^>]* y1="([\d.]+)"/g)]
    .map(([, y]) => Number(y))
    .sort((a, b) => a - b);
  assert.equal(middle - top, bottom - middle);
  assert.match(html, />1<.*>2\.5<.*>4</);
});

test('the numbers end before the lines begin', () => {
  const html = figure('a', { width: 100, height: 100, range: [1, 4] }, 'b', []);
  const [, start] = /class="grid" x1="(\d+)"/.exec(html)!;
  const numbers = [...html.matchAll(/class="tick" x="([\d.]+)"[^>]*text-anchor="end"/g)];
  assert.equal(numbers.length, 3);
  for (const [, x] of numbers) assert.ok(Number(x) < Number(start));
});
