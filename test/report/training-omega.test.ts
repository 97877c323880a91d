import assert from 'node:assert/strict';
import { test } from 'node:test';
import { omegaSection } from '../../src/report/training-omega.js';
import { trainingRun } from './training-lines.js';

test('ω at the start and as trained, drawn and in numbers', () => {
  const html = omegaSection([trainingRun('a'), trainingRun('plain', { weights: null })]);
  assert.match(html, /encoder, self-attention 1: 1\.000 → 1\.100 ± 0\.100/);
  assert.match(html, /encoder, feed-forward 1: \? → 2\.000/);
  assert.equal(html.match(/class="ring"/g)?.length, 1);
  assert.match(html, /self-attention<\/td>.*1\.000.*1\.100.*\+10\.0 %/);
  assert.match(html, /checkpoint_2_40/);
});

test('nothing where no run has ω', () => {
  const { weights } = trainingRun('a');
  assert.equal(omegaSection([trainingRun('a', { weights: { ...weights!, omega: [] } })]), '');
});

test('deep stacks name every fifth layer', () => {
  const { weights } = trainingRun('a');
  const omega = Array.from({ length: 60 }, (_, i) => ({ ...weights!.omega[0], layer: i >> 1 }));
  const html = omegaSection([trainingRun('deep', { weights: { ...weights!, omega } })]);
  const named = [...html.matchAll(/text-anchor="start">(?:layer )?(\d+)</g)].map(([, layer]) =>
    Number(layer),
  );
  assert.deepEqual(named, [1, 6, 11, 16, 21, 26]);
});
