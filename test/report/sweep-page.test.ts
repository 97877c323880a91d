import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sweepMarkdown, sweepPage } from '../../src/report/sweep-page.js';
import { sampleCell, sampleReport } from './sweep-samples.js';
import { ORIGIN } from './training-lines.js';

test('the page is whole, asks the network for nothing and runs no script', () => {
  const html = sweepPage(sampleReport(), ORIGIN);
  assert.match(html, /<h1>Sweep sample &lt;1&gt;<\/h1>/);
  assert.match(html, /default-src 'none'; style-src 'unsafe-inline'"/);
  assert.doesNotMatch(html, /<script|https?:|<link|<img/);
  for (const tag of ['table', 'section', 'figure', 'svg', 'div', 'p', 'span', 'ul']) {
    assert.equal(html.split(new RegExp(`<${tag}[ >]`)).length, html.split(`</${tag}>`).length, tag);
  }
});

test('a chart for each group with a line for each seed; what has diverged does not flatten the others', () => {
  const report = sampleReport();
  const wild = {
    ...report.groups[0],
    cells: [
      sampleCell('wild', 1, 'diverged', {
        curves: {
          train: [
            [10, 9],
            [20, 4000],
          ],
          valid: [],
        },
      }),
    ],
  };
  const html = sweepPage({ ...report, groups: [...report.groups, wild] }, ORIGIN);
  assert.equal(html.match(/<polyline/g)!.length, 2 * report.groups.length + 1);
  assert.equal(html.match(/<line class="plateau"/g)!.length, report.groups.length + 1);
  const ticks = [...html.matchAll(/class="tick"[^>]*>([\d.]+)</g)].map(([, text]) => Number(text));
  assert.ok(
    ticks.every((value) => value < 20 || value === 200),
    ticks.join(),
  );
});

test('Markdown has the same parts', () => {
  const text = sweepMarkdown(sampleReport(), ORIGIN);
  assert.deepEqual(text.match(/^#.*$/gm), [
    '# sample <1>',
    '## Divergence map',
    '## Cells',
    '## What went wrong',
  ]);
  const scored = sweepMarkdown({ ...sampleReport(), signatures: ['BLEU: nrefs:1'] }, ORIGIN);
  assert.match(scored, /paired approximate randomization against lr=0\.001,.*\n\nBLEU: nrefs:1\n/);
});
