import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AlignedSentence, alignmentPage } from '../../src/report/alignment-page.js';

const ORIGIN = { version: '0.1.0', date: '2020-11-16 09:30 UTC', command: 'admin-nmt translate run' };

const sentence = (changes: Partial<AlignedSentence> = {}): AlignedSentence => ({
  line: 3,
  source: ['ein', 'Hund'],
  target: ['a', 'dog', 'runs'],
  links: [
    [0, 0],
    [1, 1],
  ],
  weights: [
    [0.9, 0.06, 0.04],
    [0.1, 0.896, 0.004],
    [0.3, 0.3, 0.4],
    [0, 0, 1],
  ],
  ...changes,
});

test('each word of the translation has a row, each of the source a column, and both have one of </s>', () => {
  const page = alignmentPage([sentence()], 5, ORIGIN);
  const rows = [...page.matchAll(/<tr><th scope="row">(.*?)<\/th>(.*?)<\/tr>/g)];
  assert.deepEqual(
    rows.map(([, word, cells]) => [
      word,
      cells
        .replace(/<[^>]+>/g, ' ')
        .trim()
        .split(/ +/),
    ]),
    [
      ['a', ['90', '6', '4']],
      ['dog', ['10', '90']], // what rounds to nothing is left empty
      ['runs', ['30', '30', '40']],
      ['&lt;/s&gt;', ['100']],
    ],
  );
  assert.deepEqual(
    [...page.matchAll(/class="linked" style="--weight:(\d+)%"/g)].map(([, weight]) => weight),
    ['90', '90'],
  );
  assert.match(page, /<span tabindex="0">ein<\/span> <span tabindex="0">Hund<\/span>/);
  assert.match(page, /1 of 5 lines/);
  assert.match(alignmentPage([sentence()], 1, ORIGIN), />1 lines\./);
});

test('it loads nothing', () => {
  const page = alignmentPage([sentence()], 1, ORIGIN);
  assert.match(page, /content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"/);
  assert.doesNotMatch(page, /https?:|\bsrc=|@import|url\(|\bimport\b/);
});

test('words of any kind stay text', () => {
  const word = '</script><script>alert(1)</script>"<b>';
  const strange = alignmentPage([sentence({ source: [word, '<'], target: ['&', word, "'"] })], 1, ORIGIN);
  assert.equal(strange.split('<').length, alignmentPage([sentence()], 1, ORIGIN).split('<').length);
});
