import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparisonPage } from '../../src/report/comparison-page.js';
import { describeRun } from '../../src/report/comparison-script.js';
import type { ComparedSegment } from '../../src/report/comparison-segments.js';
import { comparison, marked, segment } from './comparison-samples.js';
import { type OpenPage, openPage } from './page-stub.js';

const SEGMENTS = [
  segment(1, 'a black dog', ['a dog', 30], ['a black dog', 100]),
  segment(2, 'two cats', ['two cats', 60], ['two cats', 60]),
  segment(3, 'three birds sing', ['three birds', 50], ['birds', 45]),
];

function open(segments: readonly ComparedSegment[], changes = {}): OpenPage {
  return openPage([...comparisonPage(comparison(segments, changes))].join(''));
}

/** The numbers of the lines that a page lists. */
function lines(page: OpenPage): string {
  return page
    .element('segments')
    .find('line')
    .map(({ textContent }) => textContent)
    .join(' ');
}

test('a page opens with the largest differences', () => {
  const page = open(SEGMENTS);
  assert.equal(lines(page), '#1 #3 #2');
  assert.equal(page.element('status').textContent, '3 segments');
  assert.equal(page.element('order').textContent, 'largest first');
  assert.equal(page.element('reset').hidden, true);
  assert.equal(page.element('more').hidden, true);
});

test('a segment shows its references, both translations with scores, and who is better', () => {
  const two = { ...SEGMENTS[0], references: ['a black dog', 'one dog'] };
  const [item] = open([two]).element('segments').find('segment');
  const texts = (name: string) => item.find(name).map(({ textContent }) => textContent);
  assert.deepEqual(texts('gain'), ['B by 70.0']);
  assert.deepEqual(texts('who'), ['Ref 1', 'Ref 2', 'A', 'B']);
  assert.deepEqual(texts('text'), ['a black dog', 'one dog', 'a dog', 'a black dog']);
  assert.deepEqual(texts('score'), ['30.0', '100.0']);
  assert.ok(item.find('text').every(({ dir }) => dir === 'auto'));
  assert.deepEqual(
    item.find('who').map(({ title }) => title),
    ['', '', 'base.en', 'deep.en'],
  );
});

test('a lower score is better where the metric says so', () => {
  const page = open(SEGMENTS, { sentenceMetric: { name: 'TER', lowerIsBetter: true, decimals: 2 } });
  assert.equal(page.element('segments').find('gain')[0].textContent, 'A by 70.00');
});

test('words are marked by what they match, with a sign that is not a colour', () => {
  const tokens = marked('all of the words stand here', [2, 2, 4, 4, 4, 0], [0, 0, 4, 1, 4, 0]);
  const [item] = open([{ ...SEGMENTS[0], a: { text: 'all of the words stand here', score: 9, tokens } }])
    .element('segments')
    .find('segment');
  const text = item.find('text').find(({ className }) => className === 'text a')!;
  assert.deepEqual(
    text.children.map((child) =>
      typeof child === 'string' ? child : `${child.className}:${child.textContent}`,
    ),
    [
      'matched:all of',
      ' ',
      'only:the',
      'only: ',
      'only alone:words',
      'only: ',
      'only:stand',
      ' ',
      'unmatched:here',
    ],
  );
});

test('what a run matches is told in words', () => {
  assert.equal(describeRun(['x']), 'in no reference');
  assert.equal(describeRun(['x', 1]), 'longest match: the word');
  assert.equal(describeRun(['x', 4, 3]), 'longest match: 4 words; matched by this system only: 3');
});

test('the source stands before the references, and is searched', () => {
  const [first, second] = SEGMENTS;
  const page = open([{ ...first, source: 'ein ganz anderes Wort' }, second]);
  const items = page.element('segments').find('segment');
  const [own, none] = [first, second].map(
    ({ line }) => items.find((item) => item.find('line')[0].textContent === `#${line}`)!,
  );
  assert.deepEqual(
    own.find('who').map(({ textContent }) => textContent),
    ['Src', 'Ref', 'A', 'B'],
  );
  assert.equal(own.find('text')[0].textContent, 'ein ganz anderes Wort');
  assert.equal(none.find('who')[0].textContent, 'Ref');
  page.element('query').value = 'ANDERES';
  page.element('query').fire('input');
  assert.equal(lines(page), `#${first.line}`);
});

test('an empty translation is said to be empty', () => {
  const [item] = open([segment(1, 'r', ['', 0], ['r', 100])])
    .element('segments')
    .find('segment');
  assert.equal(item.find('unmatched')[0].textContent, '(nothing)');
});

test('sorting: another key starts with its usual end, the order can be turned round', () => {
  const page = open(SEGMENTS);
  page.element('sort').value = 'line';
  page.element('sort').fire('change');
  assert.equal(lines(page), '#1 #2 #3');
  page.element('order').fire('click');
  assert.equal(lines(page), '#3 #2 #1');
  assert.equal(page.element('order').textContent, 'from the last');
  page.element('sort').value = 'advantage';
  page.element('sort').fire('change');
  assert.equal(lines(page), '#3 #2 #1');
  assert.equal(page.element('order').textContent, 'A better first');
});

test('filters add up, say how much is left, and go all at once', () => {
  const page = open(SEGMENTS);
  page.element('query').value = 'birds';
  page.element('query').fire('input');
  assert.equal(lines(page), '#3');
  assert.equal(page.element('status').textContent, '1 of 3 segments');
  page.filter('-1 0 Infinity').fire('click');
  assert.equal(lines(page), '');
  assert.equal(page.element('none').hidden, false);
  assert.equal(page.element('reset').hidden, false);
  page.element('reset').fire('click');
  assert.equal(lines(page), '#1 #3 #2');
  assert.equal(page.element('query').value, '');
  page.element('differing').checked = true;
  page.element('differing').fire('change');
  assert.equal(lines(page), '#1 #3');
});

test('one range at a time: another press replaces it, a second press lifts it', () => {
  const page = open(SEGMENTS);
  const [better, equal] = [page.filter('1 0 Infinity'), page.filter('0 0 Infinity')];
  better.fire('click');
  assert.equal(lines(page), '#3');
  equal.fire('click');
  assert.equal(lines(page), '#2');
  assert.equal(better.getAttribute('aria-pressed'), 'false');
  assert.equal(equal.getAttribute('aria-pressed'), 'true');
  equal.fire('click');
  assert.equal(lines(page), '#1 #3 #2');
  page.filter('-1 60 70').fire('click');
  assert.equal(lines(page), '#1');
});

test('keys go to the next and previous segment and to the search, but not out of a text field', () => {
  const page = open(SEGMENTS);
  const items = page.element('segments').find('segment');
  for (const key of ['k', 'j', 'j', 'j', 'k']) page.press(key);
  page.press('j', { ctrlKey: true });
  page.press('j', { target: { tagName: 'INPUT' } });
  assert.deepEqual(
    items.map(({ focused }) => focused),
    [1, 2, 2],
  );
  page.press('/');
  assert.equal(page.element('query').focused, 1);
});

test('rows are made a hundred at a time, when a reader comes near them', () => {
  const many = Array.from({ length: 30_000 }, (_, i) => segment(i + 1, 'r', ['a', i % 97], ['b', i % 89]));
  const page = open(many);
  const rows = () => page.element('segments').children.length;
  assert.equal(rows(), 100);
  assert.equal(page.element('status').textContent, '30,000 segments');
  page.scroll();
  assert.equal(rows(), 200);
  page.element('more').fire('click');
  assert.equal(rows(), 300);
  page.element('query').value = '#29999';
  page.element('query').fire('input');
  assert.equal(lines(page), '#29999');
  assert.equal(page.element('more').hidden, true);
});

test('without segments the page says so', () => {
  const page = open([]);
  assert.equal(page.element('none').hidden, false);
  page.press('j');
  assert.equal(lines(page), '');
});
