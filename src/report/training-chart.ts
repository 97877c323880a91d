/** One chart of the training report. These functions run in the page, see training-script.ts. */
import type { Chart } from './training-browser.js';
import type { ChartSpec, RunCurves } from './training-curves.js';
import { type Axis, compact, interpolate, positions, smooth, spreadLabels } from './training-view.js';

/** The curve of a run as it is drawn. */
export interface Line {
  readonly run: number;
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** As it was before it was smoothed; null where it was not. */
  readonly raw: readonly number[] | null;
}

/** How a chart looks. */
export interface Look {
  /** The value of a custom property of the style. */
  color(name: string): string;
  readonly dashes: readonly (readonly number[])[];
  readonly log: boolean;
  readonly width: number;
}

/** What a chart tells the page. */
export interface ChartEvents {
  cursor(chart: Chart): void;
  scale(chart: Chart): void;
  draw(chart: Chart): void;
  /** The reader wants the whole x axis. */
  whole(): void;
}

/** The curves of the runs that are shown. @param stretch updates to smooth over; 0 is none */
export function linesOf(
  runs: readonly RunCurves[],
  shown: readonly boolean[],
  { id, noisy }: ChartSpec,
  { axis, log, stretch }: { axis: Axis; log: boolean; stretch: number },
): Line[] {
  return runs.flatMap(({ curves, clock }, run): Line[] => {
    const { updates, values } = curves[id];
    // A logarithmic axis has no place for zero.
    const kept = updates.map((_, i) => i).filter((i) => !log || values[i] > 0);
    if (!shown[run] || kept.length === 0) return [];
    const curve = { updates: kept.map((i) => updates[i]), values: kept.map((i) => values[i]) };
    const xs = positions(curve, clock, axis);
    return noisy && stretch > 0
      ? [{ run, xs, ys: smooth(curve, stretch), raw: curve.values }]
      : [{ run, xs, ys: curve.values, raw: null }];
  });
}

/** Tables of x and y: first the curves as they were before they were smoothed, behind the others. */
export function tablesOf(lines: readonly Line[]): (readonly number[])[][] {
  return [
    ...lines.flatMap(({ xs, raw }) => (raw === null ? [] : [[xs, raw]])),
    ...lines.map(({ xs, ys }) => [xs, ys]),
  ];
}

/** Options of uPlot for the tables of some lines. */
export function chartOptions(
  spec: ChartSpec,
  lines: readonly Line[],
  { color, dashes, log, width }: Look,
  events: ChartEvents,
): object {
  const series = (run: number, more: object): object => ({
    stroke: color(`run-${run % 8}`),
    spanGaps: true,
    points: { show: false },
    ...more,
  });
  const axis = { stroke: color('quiet'), font: '11px system-ui, sans-serif' };
  const grid = { stroke: color('grid'), width: 1 };
  const labels = (_: unknown, values: (number | null)[]): string[] =>
    values.map((value) => (value === null ? '' : compact(value)));
  // uPlot has names for powers of ten alone, of which a narrow range has one or none.
  const named = (_: unknown, values: (number | null)[]): (number | null)[] => namedTicks(values);
  const marked = (count: number): boolean => count === 1 || (spec.event === 'valid' && count <= 60);
  return {
    width,
    height: 215,
    padding: [8, 26, 0, 0],
    legend: { show: false },
    scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
    axes: [
      { ...axis, grid, ticks: { ...grid, size: 4 }, size: 30, values: labels },
      {
        ...axis,
        grid,
        ticks: { show: false },
        size: 52,
        gap: 6,
        values: labels,
        ...(log ? { filter: named } : {}),
      },
    ],
    series: [
      {},
      ...lines.flatMap(({ run, raw }) => (raw === null ? [] : [series(run, { width: 1, alpha: 0.28 })])),
      ...lines.map(({ run, xs }) =>
        series(run, {
          width: 2,
          dash: dashes[run % dashes.length],
          points: { show: marked(xs.length), size: 6, fill: color('page') },
        }),
      ),
    ],
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false },
      // Zooming is passed on by the scale, not by the mouse.
      sync: {
        key: 'report',
        filters: { pub: (type: string) => !/^(mousedown|mouseup|dblclick)$/.test(type) },
      },
      bind: { dblclick: () => () => events.whole() },
    },
    hooks: {
      setCursor: [events.cursor],
      setScale: [(chart: Chart, key: string) => key === 'x' && events.scale(chart)],
      draw: [events.draw],
    },
  };
}

/** Which grid lines of a logarithmic axis have a number: powers of ten, 2 and 5 beside where they are few, or all. */
export function namedTicks(values: readonly (number | null)[]): (number | null)[] {
  const leading = (value: number): number => Number(value.toExponential(6).split('e')[0]);
  const choices = [[1], [1, 2, 5], null].map((kept) =>
    values.map((value) => (value === null || kept === null || kept.includes(leading(value)) ? value : null)),
  );
  const count = (some: readonly (number | null)[]): number => some.filter((value) => value !== null).length;
  return choices.find((some) => count(some) > 2) ?? choices[2];
}

/** Writes the number of each run where its curve ends, or leaves the part that is shown. */
export function drawLabels(chart: Chart, lines: readonly Line[], { color }: Look, ratio: number): void {
  const { ctx, bbox } = chart;
  const limit = chart.scales.x.max ?? Infinity;
  const ends = lines.flatMap(({ run, xs, ys }) => {
    const end = Math.min(limit, xs[xs.length - 1]);
    const [x, y] = [chart.valToPos(end, 'x', true), chart.valToPos(interpolate(xs, ys, end), 'y', true)];
    return x < bbox.left || end < xs[0] ? [] : [{ run, x, y }];
  });
  const bottom = bbox.top + bbox.height;
  const within = (y: number): number => Math.min(bottom, Math.max(bbox.top, y));
  // Only labels beside each other are in each other's way.
  const heights = ends.map(({ x, y }, i) => {
    const near = ends.flatMap((end, j) => (Math.abs(end.x - x) < 16 * ratio ? [j] : []));
    if (near.length === 1) return within(y);
    return spreadLabels(
      near.map((j) => within(ends[j].y)),
      13 * ratio,
      bottom,
    )[near.indexOf(i)];
  });
  ctx.save(); // the chart does not set its fonts again
  ctx.font = `600 ${12 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left'; // the chart has left that of its axes
  ctx.lineJoin = 'round';
  ctx.lineWidth = 3 * ratio;
  ctx.strokeStyle = color('page');
  ends.forEach(({ run, x }, i) => {
    ctx.fillStyle = color(`run-${run % 8}`);
    ctx.strokeText(String(run + 1), x + 8 * ratio, heights[i]);
    ctx.fillText(String(run + 1), x + 8 * ratio, heights[i]);
  });
  ctx.restore();
}
