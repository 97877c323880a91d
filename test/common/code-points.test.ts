import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareCodePoints } from '../../src/common/code-points.js';

test('the order of UTF-8 bytes; a prefix comes first', () => {
  assert.ok(compareCodePoints('ab', 'abc') < 0);
  assert.ok(compareCodePoints('abc', 'ab') > 0);
  assert.ok(compareCodePoints('\uffff', '😀') < 0);
  const text = fc.string({ unit: 'grapheme-composite', maxLength: 4 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const found = Math.sign(compareCodePoints(a, b));
      assert.equal(found, Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { seed: 1 },
  );
});
