import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analysisPage } from '../../src/report/analysis-page.js';
import { factSection } from '../../src/report/page-header.js';
import { sweepMarkdown, sweepPage } from '../../src/report/sweep-page.js';
import { trainingPage } from '../../src/report/training-page.js';
import { ANALYSIS } from './analysis-samples.js';
import { sampleReport } from './sweep-samples.js';
import { ORIGIN, trainingRun } from './training-lines.js';

const FACTS = [['Model', '2 + 2 <layers>']] as const;

test('every page says what was trained, and how it came to be', () => {
  const pages = [
    trainingPage([trainingRun('a', { facts: FACTS })], { script: '', style: '' }, ORIGIN),
    sweepPage({ ...sampleReport(), facts: FACTS }, ORIGIN),
    analysisPage(ANALYSIS, FACTS, ORIGIN),
  ];
  for (const page of pages) {
    assert.match(
      page,
      /admin-nmt 1\.2\.3, 2020-11-16 09:30 UTC: <code>admin-nmt report &#39;&lt;run&gt;&#39;<\/code>/,
    );
    assert.match(page, /<dt>Model<\/dt><dd>2 \+ 2 &lt;layers&gt;<\/dd>/);
  }
  const markdown = sweepMarkdown({ ...sampleReport(), facts: FACTS }, ORIGIN);
  assert.match(
    markdown,
    /admin-nmt 1\.2\.3, 2020-11-16 09:30 UTC: `admin-nmt report '<run>'`\n\n- Model: 2 \+ 2 <layers>\n/,
  );
});

test('several runs have a line each, and a dash for what is not known of one', () => {
  const runs = [
    { name: 'a', facts: FACTS },
    { name: '<b>', facts: [...FACTS, ['Data', 'de → en']] as const },
  ];
  const html = factSection(runs);
  assert.match(html, /Run<\/th><th[^>]*>Model<\/th><th[^>]*>Data<\/th>/);
  assert.match(html, /a<\/th><td>2 \+ 2 &lt;layers&gt;<\/td><td>–<\/td>/);
  assert.match(html, /&lt;b&gt;<\/th><td>2 \+ 2 &lt;layers&gt;<\/td><td>de → en<\/td>/);
});
