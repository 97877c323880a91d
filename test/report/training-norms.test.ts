import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normSection } from '../../src/report/training-norms.js';
import { trainingRun } from './training-lines.js';

test('a chart for each kind of weight, with a line for each run that has it', () => {
  const { weights } = trainingRun('a');
  const norms = [2, 3, 4].map((norm, layer) => ({ ...weights!.norms[0], layer, norm }));
  const deep = trainingRun('deep', { weights: { ...weights!, norms } });
  const html = normSection([deep, trainingRun('a'), trainingRun('none', { weights: null })]);
  assert.equal(html.match(/<figure>/g)?.length, 1);
  assert.equal(html.match(/<polyline/g)?.length, 2);
  assert.match(html, /run 1, layer 3: 4</);
  assert.doesNotMatch(html, /NaN|Infinity/);
});

test('nothing without checkpoints', () => {
  assert.equal(normSection([trainingRun('a', { weights: null })]), '');
});
