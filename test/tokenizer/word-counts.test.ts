import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Count, coveringCharacters } from '../../src/tokenizer/word-counts.js';

const covering = (counts: readonly Count[], coverage: number): string =>
  coveringCharacters(counts, coverage).join('');

test('the most frequent characters, up to the share', () => {
  const counts: Count[] = [
    ['a', 90],
    ['b', 9],
    ['c', 1],
  ];
  assert.equal(covering(counts, 1), 'abc');
  assert.equal(covering(counts, 0.99), 'ab');
  assert.equal(covering(counts, 0.95), 'ab');
  assert.equal(covering(counts, 0.5), 'a');
  assert.equal(covering([], 1), '');
});

test('the share is single precision, where the rest of a large text vanishes', () => {
  assert.equal(
    covering(
      [
        ['a', 2 ** 26],
        ['b', 1],
      ],
      1,
    ),
    'a',
  );
  assert.equal(
    covering(
      [
        ['a', 2 ** 20],
        ['b', 1],
      ],
      1,
    ),
    'ab',
  );
});

test('the mark of special symbols counts, but has no piece', () => {
  assert.equal(
    covering(
      [
        ['\t', 50],
        ['a', 40],
        ['b', 10],
      ],
      0.9,
    ),
    'a',
  );
});
