import assert from 'node:assert/strict';
import { test } from 'node:test';
import { translatePage } from '../../src/report/translate-page.js';

const PAIR = { name: 'run', source: 'de', target: 'en' };

test('a page loads nothing, and asks its own server alone', () => {
  const page = translatePage({ pairs: [PAIR], asksToken: false });
  assert.match(page, /content="default-src 'none'; [^"]*connect-src 'self'; img-src data:"/);
  assert.doesNotMatch(page, /https?:|\bsrc=|@import|url\(|\bimport\b/);
  assert.match(page, /<label hidden>Token/);
  assert.match(translatePage({ pairs: [PAIR], asksToken: true }), /<label>Token/);
});

test('names of any kind stay text', () => {
  const name = '</script><script>alert(1)</script>"<b>';
  const page = (pair: typeof PAIR) => translatePage({ pairs: [pair], asksToken: false });
  assert.equal(page({ name, source: name, target: name }).split('<').length, page(PAIR).split('<').length);
});
