import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type LineChart, lineChart, roundTicks } from '../../src/report/line-chart.js';

const CHART: LineChart = {
  title: 'change & depth',
  description: 'a line',
  x: { label: 'layers', log: true, ticks: [6, { at: 12, text: 'twelve' }] },
  y: { label: 'change', log: true },
  series: [
    { name: 'post-ln', style: 0, points: [6, 12].map((x) => ({ x, y: x / 10, low: x / 20, high: x / 5 })) },
    { name: '', style: 0, faint: true, points: [6, 12].map((x) => ({ x, y: x / 10 })) },
  ],
};

test('lines with error bars, a title for each point, and names of what was measured', () => {
  const svg = lineChart(CHART);
  assert.match(svg, /<title>change &amp; depth<\/title><desc>a line<\/desc>/);
  assert.equal(svg.match(/<polyline/g)?.length, 2);
  assert.equal(svg.match(/<circle/g)?.length, 2);
  assert.match(svg, /post-ln, layers 12: 1\.2</);
  assert.match(svg, />twelve</);
  assert.equal(svg.match(/class="label run-0"/g)?.length, 1);
  assert.doesNotMatch(svg, /NaN|Infinity/);
});

test('what has no place on its axis is left out, and so is a chart without anything', () => {
  const series = [{ name: 'a', style: 0, points: [0, null, Number.NaN, 3].map((y, x) => ({ x: x + 1, y })) }];
  const svg = lineChart({ ...CHART, series });
  assert.equal(svg.match(/<circle/g)?.length, 1);
  assert.doesNotMatch(svg, /NaN|Infinity/);
  assert.equal(lineChart({ ...CHART, series: [] }), '');
});

test('an error bar that reaches 0 on a logarithmic axis ends at the point', () => {
  const point = { x: 6, y: 2, low: -1, high: 4 };
  assert.doesNotMatch(
    lineChart({ ...CHART, series: [{ name: 'a', style: 0, points: [point] }] }),
    /NaN|Infinity/,
  );
});

describe('numbers on the axes', () => {
  test('linear', () => {
    assert.deepEqual(roundTicks([0, 1], false), [0, 0.5, 1]);
    assert.deepEqual(roundTicks([-0.3, 0.32], false), [-0.2, 0, 0.2]);
  });

  test('logarithmic: powers of ten, and 2 and 5 where there are few', () => {
    assert.deepEqual(roundTicks([1e-6, 2e-3], true), [1e-6, 1e-5, 1e-4, 1e-3]);
    assert.deepEqual(roundTicks([0.15, 1.2], true), [0.2, 0.5, 1]);
  });
});
