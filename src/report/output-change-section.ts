import { deviation, mean } from '../common/statistics.js';
import type { Direction, Growth, OutputChange, OutputChanges, Stack } from './analysis-data.js';
import { STACK_TITLES, STACKS, subjectNames } from './analysis-names.js';
import { escapeHtml } from './html.js';
import { number, table } from './html-table.js';
import { type LineChart, lineChart, type Point, type Series } from './line-chart.js';
import { compact } from './training-view.js';

const DIRECTIONS: readonly Direction[] = ['random', 'gradient'];
const HOW: Readonly<Record<Direction, string>> = {
  random: 'a random direction',
  gradient: 'the direction of the gradient',
};

/** Output changes by depth or by size of the perturbation, and how they grow. */
export function outputChangeSection(found: OutputChanges): string {
  const { changes, growth } = found;
  const deltas = [...new Set(changes.map(({ delta }) => delta))];
  const charts = STACKS.flatMap((stack) =>
    DIRECTIONS.flatMap((direction) => {
      const own = changes.filter((change) => change.stack === stack && change.direction === direction);
      const sizes = new Set(own.map(({ delta }) => delta)).size;
      return [
        growth.length > 0 ? depthChart(found, own, stack, direction) : '',
        sizes > 1 ? deltaChart(own, stack, direction) : '',
      ];
    }),
  );
  return [
    '<h2>Output change</h2>',
    '<p class="note">|F(x, W*) − F(x, W)|² for each component of the normalised output of a stack, when every element of ' +
      `the matrices of its branches moves by δ = ${deltas.map(compact).join(', ')}. Bars are one standard deviation over ` +
      'the seeds.',
    growth.length > 0
      ? ' Pale: what theory says, a multiple of Σβ² of the own branches, through the first measured point.</p>'
      : '</p>',
    `<div class="pair">${charts.join('\n')}</div>`,
    growth.length > 0 ? growthTable(growth) : '',
    `<details${charts.some((chart) => chart !== '') ? '' : ' open'}><summary>In numbers</summary>${changeTable(changes)}</details>`,
  ].join('\n');
}

function depthChart(
  { theory }: OutputChanges,
  changes: readonly OutputChange[],
  stack: Stack,
  direction: Direction,
): string {
  const delta = changes[0].delta;
  const schemes = [...new Set(changes.map(({ residual }) => residual))];
  const series = schemes.flatMap((residual, style): Series[] => {
    const own = changes.filter((change) => change.residual === residual && change.delta === delta);
    const points = own.map(({ depth, changes }) => pointOf(depth, changes));
    const expected = theory.filter((line) => line.residual === residual && line.stack === stack);
    const factor = (points[0].y ?? 0) / expected[0].sum;
    return [
      { name: residual, style, points },
      {
        name: '',
        style,
        faint: true,
        points: expected.map(({ depth, sum }) => ({ x: depth, y: factor * sum })),
      },
    ];
  });
  const chart: LineChart = {
    title: `${STACK_TITLES[stack]}, ${HOW[direction]}, δ = ${compact(delta)}`,
    description: `Change of the output by depth for ${schemes.join(', ')}.`,
    x: { label: `layers of the ${stack}`, log: true, ticks: [...new Set(changes.map(({ depth }) => depth))] },
    y: { label: 'output change', log: true },
    series,
  };
  return lineChart(chart);
}

/** Change by δ at the greatest depth. */
function deltaChart(changes: readonly OutputChange[], stack: Stack, direction: Direction): string {
  const depth = Math.max(...changes.map((change) => change.depth));
  const deep = changes.filter((change) => change.depth === depth);
  const names = subjectNames(deep);
  const series = [...new Set(names)].map((name, style) => ({
    name,
    style,
    points: deep.filter((_, i) => names[i] === name).map(({ delta, changes }) => pointOf(delta, changes)),
  }));
  return lineChart({
    title: `${STACK_TITLES[stack]} of ${depth} layers by δ, ${HOW[direction]}`,
    description: 'Change of the output by the size of the perturbation.',
    x: { label: 'δ', log: true },
    y: { label: 'output change', log: true },
    series,
  });
}

/** Mean, and the mean ± one standard deviation where there are several. */
function pointOf(x: number, values: readonly number[]): Point {
  const [y, around] = [mean(values), deviation(values)];
  return around === null ? { x, y } : { x, y, low: y - around, high: y + around };
}

function growthTable(growth: readonly Growth[]): string {
  const rows = growth.map(
    ({ residual, stack, direction, delta, exponent, deviation, expected, linearFit, logarithmicFit }) => {
      const error = deviation === null ? '' : ` ± ${deviation.toFixed(2)}`;
      return [
        `<th scope="row">${escapeHtml(residual)}</th><td>${stack}</td><td>${direction}</td>`,
        number(delta, compact),
        number(exponent, (value) => value.toFixed(2).replace('-', '−') + error),
        number(expected, (value) => value.toFixed(2)),
        number(linearFit, (value) => value.toFixed(3)),
        number(logarithmicFit, (value) => value.toFixed(3)),
      ].join('');
    },
  );
  const heads = [
    'Scheme',
    'Stack',
    'Direction',
    'δ',
    'Exponent',
    'expected',
    'R² of a + b·N',
    'R² of a + b·ln N',
  ];
  return `<h3>Growth with the number of layers N: change ∝ N^exponent</h3>${table(heads, rows, 3)}`;
}

function changeTable(changes: readonly OutputChange[]): string {
  const names = subjectNames(changes);
  const rows = changes.map(({ stack, direction, depth, delta, changes }, i) => {
    return [
      `<th scope="row">${escapeHtml(names[i])}</th><td>${stack}</td><td>${direction}</td>`,
      number(depth, String),
      number(delta, compact),
      number(mean(changes), (value) => value.toExponential(2)),
      number(deviation(changes), (value) => value.toExponential(1)),
    ].join('');
  });
  return table(['Model', 'Stack', 'Direction', 'Layers', 'δ', 'Change', 'Deviation'], rows, 3);
}
