import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { subjectNames } from '../../src/report/analysis-names.js';
import { analysisPage } from '../../src/report/analysis-page.js';
import { ANALYSIS, SUBJECTS } from './analysis-samples.js';
import { ORIGIN } from './training-lines.js';

const FACTS = [['Model', 'admin, 2 + 2 layers']] as const;

const page = analysisPage(ANALYSIS, FACTS, ORIGIN);

test('a page that needs nothing else: no script, nothing from the network', () => {
  assert.match(page, /default-src 'none'; style-src 'unsafe-inline'"/);
  assert.doesNotMatch(page, /<script|<link|<img|https?:|url\(/);
});

test('every picture can be read out, and no number is none', () => {
  for (const svg of page.match(/<svg.*?<\/svg>/gs)!) assert.match(svg, /role="img"><title>/);
  assert.doesNotMatch(page, /NaN|Infinity|undefined|null/);
});

test('a section for each measure, on what was measured', () => {
  for (const heading of ['Dependency', 'Output change', 'Gradients', 'Sensitivity', 'ω over training'])
    assert.match(page, new RegExp(`<h2>${heading}`));
  assert.match(
    page,
    /batch 2 of the valid split \(3 sentence pairs, 10 source and 12 target tokens\), dropout off, seed 7/,
  );
  const { dependency, outputChange, updates, gradients, ...omegaAlone } = ANALYSIS;
  const one = analysisPage({ ...omegaAlone, batch: null }, FACTS, ORIGIN);
  assert.equal(one.match(/<h2>/g)?.length, 1);
});

describe('figures', () => {
  test('heat maps of each model and of theory, for both stacks', () => {
    assert.equal(page.match(/class="outline"/g)?.length, 2 * (2 + 1));
    assert.match(page, /Expected: admin/);
  });

  test('what is drawn over layers begins at the first', () => {
    const charts = [...page.matchAll(/<svg.*?<\/svg>/gs)].filter(([svg]) => />layer</.test(svg));
    assert.ok(charts.length >= 4, String(charts.length));
    for (const [svg] of charts) {
      const [, first] = /class="tick" x="([\d.]+)"[^>]*text-anchor="middle">1</.exec(svg)!;
      const points = [...svg.matchAll(/<circle[^>]* cx="([\d.]+)"/g)].map(([, x]) => Number(x));
      assert.equal(Math.min(...points), Number(first), svg);
    }
  });

  test('growth: exponent with its spread, and what was expected', () => {
    assert.match(page, /1\.00 ± 0\.00<\/td><td class="number">0\.50/);
  });

  test('how unbalanced gradients and updates are', () => {
    assert.match(page, /<td>encoder<\/td><td class="number">2\.00<\/td><td class="number">1\.00/);
  });

  test('updates without warmup are named so', () => {
    assert.match(page, />init, no warmup<|>admin, no warmup</);
  });
});

describe('names of models', () => {
  const [init, trained] = SUBJECTS;
  test('by scheme, updates or checkpoint', () => {
    assert.deepEqual(subjectNames([init, { ...init, residual: 'post-ln' }]), ['admin', 'post-ln']);
    assert.deepEqual(subjectNames([init, trained]), ['init', '5 updates']);
    assert.deepEqual(subjectNames([{ ...trained, updates: null }]), ['checkpoint_1_<5>']);
  });

  test('they are escaped', () => {
    const [map] = ANALYSIS.dependency!;
    const html = analysisPage(
      { ...ANALYSIS, dependency: [{ ...map, ...trained, updates: null }] },
      FACTS,
      ORIGIN,
    );
    assert.match(html, /checkpoint_1_&lt;5&gt;/);
    assert.doesNotMatch(html, /<5>/);
  });
});
