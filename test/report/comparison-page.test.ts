import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Comparison, comparisonPage } from '../../src/report/comparison-page.js';
import { packSegment } from '../../src/report/comparison-segments.js';
import { comparison, marked, segment } from './comparison-samples.js';

const SEGMENTS = [
  segment(1, 'a dog', ['a dog', 100], ['a cat', 35]),
  segment(2, 'two cats', ['cats', 20], ['cats', 20]),
];

const pageOf = (data: Comparison): string => [...comparisonPage(data)].join('');
const dataOf = (html: string) =>
  JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)![1]);

test('the page says what is compared, the scores of the corpora, and how the segments fall', () => {
  const html = pageOf(comparison(SEGMENTS));
  assert.match(html, /^<!DOCTYPE html>\n<html lang="en">/);
  assert.match(html, /<title>base and deep<\/title>/);
  assert.match(html, /<h1>base and deep<\/h1>/);
  assert.match(html, />A<\/span><\/dt><dd>base\.en<\/dd>/);
  assert.match(html, />B<\/span><\/dt><dd>deep\.en<\/dd>/);
  assert.match(html, /<dd class="quiet">ref\.en<\/dd>/);
  assert.match(
    html,
    /<th scope="row">BLEU<\/th><td class="number">30\.1<\/td><td class="number">31\.2<\/td>/,
  );
  assert.match(html, /<code>nrefs:1\|case:mixed<\/code>/);
  assert.match(html, /better <b>1<\/b> <span class="quiet">50 %<\/span>/);
  assert.match(html, /equal <b>1<\/b>/);
  assert.match(html, /better <b>0<\/b>/);
  assert.match(html, /<noscript>/);
});

test('columns of the corpus table are there when a row fills them', () => {
  const row = { metric: 'BLEU', a: '30.1', b: '31.2', signature: 's' };
  const plain = pageOf(comparison(SEGMENTS, { corpus: [row] }));
  assert.doesNotMatch(plain, />A − B<|>p</);
  const full = pageOf(
    comparison(SEGMENTS, {
      corpus: [row, { ...row, difference: '-1.1', intervalA: '30.1 ± 0.9', pValue: '0.01' }],
    }),
  );
  assert.match(full, />A − B<\/th><th scope="col" class="number">p</);
  assert.match(full, /30\.1 <span class="interval">\(30\.1 ± 0\.9\)<\/span>/);
});

test('the source is named where there is one', () => {
  assert.doesNotMatch(pageOf(comparison(SEGMENTS)), />Src</);
  const segments = SEGMENTS.map((one) => ({ ...one, source: `Quelle ${one.line}` }));
  const html = pageOf(comparison(segments, { source: 'test.<de>' }));
  assert.match(html, />Src<\/dt><dd class="quiet">test\.&lt;de&gt;<\/dd>/);
  assert.deepEqual(
    dataOf(html).segments.map(({ source }: { source: string }) => source),
    ['Quelle 1', 'Quelle 2'],
  );
});

test('nothing is loaded from elsewhere', () => {
  const html = pageOf(comparison(SEGMENTS));
  assert.match(html, /Content-Security-Policy" content="default-src 'none'/);
  assert.doesNotMatch(html, /https?:|\bsrc=|@import|url\(|\bimport\b/);
});

test('the page comes in one piece a segment', () => {
  assert.equal([...comparisonPage(comparison(SEGMENTS))].length, SEGMENTS.length + 2);
});

test('text of any kind stays text, and the data of the page are those given', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('</script><script>alert(1)</script>', '<!--', '"><b>', '\u2028</style>'),
  );
  const benign = pageOf(
    comparison([segment(1, 'r', ['a', 1], ['b', 2])], {
      corpus: [{ metric: 'm', a: '1', b: '2', intervalA: 'i', pValue: 'p', signature: 's' }],
    }),
  );
  fc.assert(
    fc.property(fc.array(text, { minLength: 8, maxLength: 8 }), (texts) => {
      const [title, a, b, reference, metric, signature, left, right] = texts;
      const translation = (line: string) => ({ text: line, tokens: marked(line), score: 1 });
      const given = {
        line: 1,
        references: [reference],
        a: { ...translation(left), score: 1 },
        b: { ...translation(right), score: 2 },
      };
      const html = pageOf(
        comparison([given], {
          title,
          systems: { a, b },
          references: [reference],
          corpus: [{ metric, a: '1', b: '2', intervalA: `i${left}`, pValue: `p${right}`, signature }],
          sentenceMetric: { name: metric },
        }),
      );
      assert.equal(html.split('<').length, benign.split('<').length);
      assert.deepEqual(dataOf(html), {
        systems: { a, b },
        lowerIsBetter: false,
        decimals: 1,
        segments: [packSegment(given)],
      });
    }),
    { numRuns: 50 },
  );
});

test('without segments there is still a page', () => {
  const html = pageOf(comparison([]));
  assert.deepEqual(dataOf(html).segments, []);
  assert.match(html, /<b>0<\/b> <span class="quiet">0 %/);
});
