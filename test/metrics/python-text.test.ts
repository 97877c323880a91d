import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitWords, strip, stripEnd, visibleCharacters } from '../../src/metrics/python-text.js';
import { startCpuTime } from '../cpu-time.js';

test('white space is what Python takes for it', () => {
  assert.deepEqual(splitWords('a\x1cb\x85c\ufeffd\u200be\u3000f\u180e g'), [
    'a',
    'b',
    'c\ufeffd\u200be',
    'f\u180e',
    'g',
  ]);
  assert.deepEqual(splitWords(' \t\x0b'), []);
  assert.equal(stripEnd(' a \x1f\u2029'), ' a');
  assert.equal(stripEnd('a\ufeff'), 'a\ufeff');
  assert.equal(strip('\u00a0\x1ea b\u205f'), 'a b');
});

test('characters are code points', () => {
  assert.deepEqual(visibleCharacters('a😀 e\u0301\u3000漢'), ['a', '😀', 'e', '\u0301', '漢']);
});

test('inner white space of any length costs linear time', () => {
  const line = `a${' '.repeat(300_000)}b`;
  const milliseconds = startCpuTime();
  assert.equal(stripEnd(line), line);
  assert.deepEqual(splitWords(line), ['a', 'b']);
  assert.ok(milliseconds() < 2000);
});
