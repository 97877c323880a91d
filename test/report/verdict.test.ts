import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sweepMarkdown, sweepPage } from '../../src/report/sweep-page.js';
import { DEFINITION, explainVerdicts, LETTERS, MEANINGS } from '../../src/report/verdict.js';
import { sampleReport } from './sweep-samples.js';
import { ORIGIN } from './training-lines.js';

test('every verdict has a letter of its own and a meaning, and both reports say them below the table', () => {
  assert.equal(new Set(Object.values(LETTERS)).size, 7);
  const [markdown, html] = [sweepMarkdown(sampleReport(), ORIGIN), sweepPage(sampleReport(), ORIGIN)];
  for (const report of [markdown, html]) {
    assert.ok(report.includes(DEFINITION));
    for (const meaning of Object.values(MEANINGS)) assert.ok(report.includes(meaning), meaning);
    const table = report.search(/best valid loss/);
    assert.ok(table < report.indexOf(MEANINGS.early) && report.indexOf(DEFINITION) < report.indexOf('Cells'));
  }
});

test('those that occur are explained, from the best to the worst', () => {
  assert.deepEqual(explainVerdicts(['plateau', 'converged', 'plateau']), [
    'C converged: more than 10 % below the unigram plateau, and no longer falling',
    'P plateau: not more than 10 % below the unigram plateau, and no longer falling',
  ]);
});
