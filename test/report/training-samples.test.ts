import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricsPoint } from '../../src/report/training-run.js';
import { sampleSection } from '../../src/report/training-samples.js';
import { valid } from './training-lines.js';

const withSample = (updates: number, hypothesis: string, source = 'ein <b>'): MetricsPoint => ({
  ...valid(updates, 1, 3),
  samples: [{ source, reference: 'a <b>', hypothesis }],
});

test('a sentence stands once, with what each run made of it', () => {
  const html = sampleSection([
    { lines: [withSample(10, 'one'), withSample(20, '')] },
    { lines: [valid(5, 1, 3), withSample(30, 'two')] },
  ]);
  assert.equal(html.split('<table').length - 1, 1);
  assert.equal(html.split('ein &lt;b&gt;').length - 1, 1);
  assert.match(html, /10<\/td>.*one[\s\S]*20<\/td>.*\(empty\)[\s\S]*30<\/td>.*two/);
  assert.equal(html.split('class="key').length - 1, 2, 'a run is named once');
});

test('of many validations some are shown, the first and the last among them', () => {
  const lines = Array.from({ length: 20 }, (_, i) => withSample(i + 1, `after ${i + 1}`));
  const html = sampleSection([{ lines }]);
  assert.deepEqual(
    [...html.matchAll(/after (\d+)</g)].map(([, updates]) => Number(updates)),
    [1, 7, 14, 20],
  );
});

test('without samples there is no section', () => {
  assert.equal(sampleSection([{ lines: [valid(1, 1, 3)] }]), '');
});
