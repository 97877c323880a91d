import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chart } from '../../src/report/training-browser.js';
import {
  drawLabels,
  type Line,
  type Look,
  linesOf,
  namedTicks,
  tablesOf,
} from '../../src/report/training-chart.js';
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

test('grid lines of a logarithmic axis have enough numbers, however narrow it is', () => {
  const named = (values: number[]) => namedTicks(values).filter((value) => value !== null);
  assert.deepEqual(named([1, 2, 5, 10, 20, 50, 100]), [1, 10, 100]);
  assert.deepEqual(named([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2]), [0.2, 0.5, 1, 2]);
  assert.deepEqual(named([200, 300]), [200, 300]);
});

/** Where the numbers of some lines are written, on a chart of a pixel a unit. */
function labelsOf(lines: readonly Pick<Line, 'xs' | 'ys'>[]): (string | number)[][] {
  const written: (string | number)[][] = [];
  const ctx = {
    textAlign: 'right',
    save() {},
    restore() {},
    strokeText() {},
    fillText(text: string, x: number, y: number) {
      written.push([text, ctx.textAlign, x, y]);
    },
  };
  const chart = {
    ctx,
    bbox: { left: 0, top: 0, width: 500, height: 200 },
    scales: { x: {} },
    valToPos: (value: number) => value,
  };
  const look: Look = { color: () => '', dashes: [[]], log: false, width: 500 };
  drawLabels(
    chart as unknown as Chart,
    lines.map((line, run) => ({ ...line, run, raw: null })),
    look,
    1,
  );
  return written;
}

test('numbers stand right of the ends of curves, apart only where they would cover each other', () => {
  assert.deepEqual(
    labelsOf([
      { xs: [0, 400], ys: [9, 50] },
      { xs: [0, 402], ys: [9, 52] },
      { xs: [0, 100], ys: [9, 50] },
    ]),
    [
      ['1', 'left', 408, 50],
      ['2', 'left', 410, 63],
      ['3', 'left', 108, 50],
    ],
  );
});
