import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packSegment } from '../../src/report/comparison-segments.js';
import {
  advantageOf,
  arrange,
  inRange,
  listSegment,
  orderLabel,
  type SortKey,
  type View,
} from '../../src/report/comparison-view.js';
import { listed, segment } from './comparison-samples.js';

const view: View = { sort: 'line', descending: false, query: '', differing: false };
const lines = (segments: readonly { line: number }[]) => segments.map(({ line }) => line);

test('segments are sorted by each key, equals by line', () => {
  const segments = [
    listed(1, 10, 30, { references: ['four'] }),
    listed(2, 50, 20, { references: ['a'] }),
    listed(3, 40, 40, { references: ['as'] }),
    listed(4, 10, 20, { references: ['sixsix'] }),
  ];
  const sorted = (sort: SortKey, descending: boolean) =>
    lines(arrange(segments, { ...view, sort, descending }));
  assert.deepEqual(sorted('magnitude', true), [2, 1, 4, 3]);
  assert.deepEqual(sorted('magnitude', false), [3, 4, 1, 2]);
  assert.deepEqual(sorted('advantage', true), [2, 3, 4, 1]);
  assert.deepEqual(sorted('advantage', false), [1, 4, 3, 2]);
  assert.deepEqual(sorted('a', true), [2, 3, 1, 4]);
  assert.deepEqual(sorted('b', false), [2, 4, 1, 3]);
  assert.deepEqual(sorted('line', true), [4, 3, 2, 1]);
  assert.deepEqual(sorted('length', true), [4, 1, 3, 2]);
});

test('the segments themselves stay in their order', () => {
  const segments = [listed(1, 0, 0), listed(2, 0, 9)];
  arrange(segments, { ...view, descending: true });
  assert.deepEqual(lines(segments), [1, 2]);
});

test('a search finds text of the references and of both systems, in any case, or a line', () => {
  const segments = [
    segment(1, 'Ein Hund', ['A dog', 1], ['A cat', 2]),
    segment(12, 'Eine Katze', ['A Cat', 1], ['A bird', 2]),
  ].map((given) => listSegment(packSegment(given), false));
  const found = (query: string) => lines(arrange(segments, { ...view, query }));
  assert.deepEqual(found(' hund '), [1]);
  assert.deepEqual(found('CAT'), [1, 12]);
  assert.deepEqual(found('bird'), [12]);
  assert.deepEqual(found('#12'), [12]);
  assert.deepEqual(found('#2'), []);
  assert.deepEqual(found('dog a'), []);
});

test('only differing translations, only a range of advantages', () => {
  const segments = [
    segment(1, 'r', ['same', 5], ['same', 5]),
    segment(2, 'r', ['one', 30], ['two', 10]),
    segment(3, 'r', ['one', 10], ['two', 40]),
  ].map((given) => listSegment(packSegment(given), false));
  assert.deepEqual(lines(arrange(segments, { ...view, differing: true })), [2, 3]);
  const inside = (side: number, low: number, high: number) =>
    lines(arrange(segments, { ...view, range: { side, low, high } }));
  assert.deepEqual(inside(1, 0, Infinity), [2]);
  assert.deepEqual(inside(0, 0, Infinity), [1]);
  assert.deepEqual(inside(-1, 20, 30), [3]);
  assert.deepEqual(inside(-1, 30, 40), []);
});

test('a range holds its upper end and not its lower one', () => {
  assert.ok(inRange(20, { side: 1, low: 10, high: 20 }));
  assert.ok(!inRange(10, { side: 1, low: 10, high: 20 }));
  assert.ok(!inRange(20, { side: -1, low: 10, high: 20 }));
  assert.ok(!inRange(0, { side: 1, low: 0, high: 20 }));
});

test('where lower scores are better, the lower one has the advantage', () => {
  assert.equal(advantageOf(30, 50, false), -20);
  assert.equal(advantageOf(30, 50, true), 20);
});

test('every order says which end comes first', () => {
  for (const key of ['magnitude', 'advantage', 'a', 'b', 'line', 'length'] as const)
    assert.notEqual(orderLabel(key, true), orderLabel(key, false));
  assert.equal(orderLabel('advantage', true), 'A better first');
});
