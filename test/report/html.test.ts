import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { embedJson, escapeHtml } from '../../src/report/html.js';

test('text in HTML holds no character that means something there', () => {
  assert.equal(escapeHtml(`<a href="x">&'`), '&lt;a href=&quot;x&quot;&gt;&amp;&#39;');
});

test('JSON in a script element is the same data and cannot leave the element', () => {
  assert.equal(embedJson('</script>\u2028'), '"\\u003c/script>\\u2028"');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = embedJson({ text, more: ['<!--', text] });
      assert.doesNotMatch(json, /[<\u2028\u2029]/);
      assert.deepEqual(JSON.parse(json), { text, more: ['<!--', text] });
    }),
  );
});
