import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainingPage } from '../../src/report/training-page.js';
import { ORIGIN, trainingRun } from './training-lines.js';

const LIBRARY = { script: 'var uPlot;', style: '.uplot {}' };

test('a page loads nothing from elsewhere, a watched one asks its own server alone', () => {
  const page = trainingPage([trainingRun('a')], LIBRARY, ORIGIN);
  assert.match(
    page,
    /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">/,
  );
  assert.doesNotMatch(page, /https?:|\bsrc=|@import|url\(|\bimport\b/);
  assert.match(trainingPage([trainingRun('a')], LIBRARY, ORIGIN, '/data.json'), /; connect-src 'self'">/);
});

test('the library, the tables and the charts are in the page', () => {
  const page = trainingPage([trainingRun('a'), trainingRun('b')], LIBRARY, ORIGIN);
  for (const part of [
    'var uPlot;',
    '.uplot {}',
    '<h1>2 training runs</h1>',
    'id="train-loss"',
    'ω of each shortcut',
  ])
    assert.ok(page.includes(part), part);
});

test('names of any kind stay text', () => {
  const name = '</script><script>alert(1)</script>"<b>';
  const page = trainingPage([trainingRun(name)], LIBRARY, ORIGIN);
  const benign = trainingPage([trainingRun('x')], LIBRARY, ORIGIN);
  assert.equal(page.split('<').length, benign.split('<').length);
});
