import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
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
    assert.deepEqual(roundTicks([0, 1], false), [0, 0.25, 0.5, 0.75, 1]);
    assert.deepEqual(roundTicks([-0.3, 0.32], false), [-0.2, 0, 0.2]);
  });

  test('logarithmic: powers of ten, and 2 and 5 where there are few', () => {
    assert.deepEqual(roundTicks([1e-6, 2e-3], true), [1e-6, 1e-5, 1e-4, 1e-3]);
    assert.deepEqual(roundTicks([0.15, 1.2], true), [0.2, 0.5, 1]);
  });

  test('logarithmic and narrow: as on any other axis', () => {
    assert.deepEqual(roundTicks([0.0031, 0.0046], true), [0.0035, 0.004, 0.0045]);
    assert.deepEqual(roundTicks([1.5e-6, 4e-6], true), [2e-6, 3e-6, 4e-6]);
  });

  test('any range has two at least and not too many, all of them in it and told apart', () => {
    const low = fc.double({ min: -8, max: 5, noNaN: true }).map((power) => 10 ** power);
    const ratio = fc.double({ min: 1.01, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(low, ratio, fc.boolean(), (low, ratio, log) => {
        const ticks = roundTicks([low, low * ratio], log);
        assert.ok(ticks.length >= 2 && ticks.length <= 10, String(ticks));
        for (const tick of ticks)
          assert.ok(tick >= low * (1 - 1e-8) && tick <= low * ratio * (1 + 1e-8), String(ticks));
        const y = { label: '', log };
        const points = [low, low * ratio].map((y, x) => ({ x, y }));
        const svg = lineChart({
          ...CHART,
          x: { label: '', ticks: [] },
          y,
          series: [{ name: '', style: 0, points }],
        });
        const texts = [...svg.matchAll(/text-anchor="end">([^<]*)</g)].map(([, text]) => text);
        assert.equal(new Set(texts).size, texts.length, String(texts));
      }),
    );
  });
});

describe('what stands beside a chart', () => {
  test('the numbers of the y axis end before its lines begin, and are at their height', () => {
    const svg = lineChart(CHART);
    const grid = [...svg.matchAll(/<line class="grid" x1="(\d+)" x2="\d+" y1="([\d.]+)"/g)];
    const numbers = [...svg.matchAll(/<text class="tick" x="([\d.]+)" y="([\d.]+)" text-anchor="end"/g)];
    assert.ok(grid.length >= 2);
    assert.equal(numbers.length, grid.length);
    grid.forEach(([, x, y], i) => {
      assert.ok(Number(numbers[i][1]) < Number(x));
      assert.ok(Math.abs(Number(numbers[i][2]) - Number(y)) < 6);
    });
  });

  test('an axis says that it is logarithmic', () => {
    const svg = lineChart({ ...CHART, x: { label: 'updates' } });
    assert.match(svg, />change \(log scale\)</);
    assert.match(svg, />updates</);
  });

  test('a point that stands for a sublayer says so', () => {
    const points = [{ x: 4, y: 2, place: 'feed-forward 2' }];
    const svg = lineChart({ ...CHART, series: [{ name: 'a', style: 0, points }] });
    assert.match(svg, /<title>a, feed-forward 2: 2<\/title>/);
  });

  test('names have room, up to a length from which on they are cut, and then told when pointed at', () => {
    const named = (name: string): string =>
      lineChart({ ...CHART, series: [{ ...CHART.series[0], name }, CHART.series[1]] });
    const room = (svg: string): number =>
      540 -
      Number(/class="label run-0" x="([\d.]+)"/.exec(svg)![1]) -
      7 * /class="label[^>]*>([^<]*)/.exec(svg)![1].length;
    for (const name of ['a', 'post-ln-pre-ln, 100000 updates', 'encoder-attention q, k, v']) {
      assert.ok(room(named(name)) >= 0, name);
    }
    assert.match(
      named('post-ln-pre-ln, 100000 updates'),
      />post-ln-pre-ln, 100000 up…<title>post-ln-pre-ln, 100000 updates</,
    );
  });
});
