import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packSegment, spellOut } from '../../src/report/comparison-segments.js';
import { marked, segment } from './comparison-samples.js';

const spelled = (line: string, ...tokens: string[]): string =>
  spellOut(
    line,
    tokens.map((text) => ({ text })),
  ).join('|');

test('tokens are shown as they stand in the line, not with a space before each', () => {
  assert.equal(
    spelled("It's  red, (now).", "It's", 'red', ',', '(', 'now', ')', '.'),
    "It's| red|,| (|now|)|.",
  );
  assert.equal(spelled('红色的 car', '红', '色', '的', 'car'), '红|色|的| car');
});

test('tokens in lower case are shown in the case of the line', () => {
  assert.equal(spelled('The Cat', 'the', 'cat'), 'The| Cat');
});

test('a token that is not in the line is shown as it is, and those after it are found again', () => {
  assert.equal(spelled('a &quot;b&quot; c', 'a', '"', 'b', '"', 'c'), 'a| "|b|"| c');
  assert.equal(spelled('İki adam', 'i̇ki', 'adam'), 'i̇ki| adam');
  assert.equal(spelled('x', 'y', 'z'), 'y| z');
});

test('words apart by white space are the line again, with single spaces', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (line) => {
      const tokens = marked(line);
      assert.equal(spellOut(line, tokens).join(''), tokens.map(({ text }) => text).join(' '));
    }),
  );
});

test('neighbours with equal marks are one run; zeros at its end are left out', () => {
  const plain = segment(7, 'r', ['one two three four', 50], ['', 0]);
  const tokens = marked('one two three four', [2, 2, 0, 1], [0, 0, 0, 1]);
  assert.deepEqual(packSegment({ ...plain, a: { ...plain.a, tokens } }), {
    line: 7,
    references: ['r'],
    a: { score: 50, runs: [['one two', 2], [' three'], [' four', 1, 1, 1]] },
    b: { score: 0, runs: [] },
  });
});
