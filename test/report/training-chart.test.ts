import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesOf, tablesOf } from '../../src/report/training-chart.js';
import { CHARTS, runCurves } from '../../src/report/training-curves.js';
import { line, trainingRun } from './training-lines.js';

const [LOSS] = CHARTS;
const view = { axis: 'updates', log: false, stretch: 0 } as const;

test('only runs that are shown and have points have lines', () => {
  const runs = [trainingRun('a'), trainingRun('b', { lines: [] }), trainingRun('c')].map(runCurves);
  const lines = linesOf(runs, [false, true, true], LOSS, view);
  assert.deepEqual(
    lines.map(({ run }) => run),
    [2],
  );
});

test('a logarithmic axis leaves zeros out', () => {
  const lines = [line(1, 1, { loss: 0 }), line(2, 1, { loss: 4 })];
  const runs = [runCurves(trainingRun('a', { lines }))];
  assert.deepEqual(linesOf(runs, [true], LOSS, { ...view, log: true })[0].ys, [4]);
});

test('what was smoothed is drawn behind', () => {
  const lines = linesOf([runCurves(trainingRun('a'))], [true], LOSS, { ...view, stretch: 20 });
  const [raw, smoothed, ...rest] = tablesOf(lines);
  assert.equal(rest.length, 0);
  assert.equal(raw[1], lines[0].raw);
  assert.equal(smoothed[1], lines[0].ys);
});
