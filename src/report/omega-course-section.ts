import type { OmegaPoint, Stack } from './analysis-data.js';
import { layerTicks, STACK_TITLES, STACKS, SUBLAYERS, siteName, subjectNames } from './analysis-names.js';
import { escapeHtml } from './html.js';
import { number, table } from './html-table.js';
import { lineChart, type Point } from './line-chart.js';

/** ω of each sublayer over training, in units of what it began with. */
export function omegaCourseSection(points: readonly OmegaPoint[]): string {
  const charts = STACKS.flatMap((stack) => [meanChart(points, stack), spreadChart(points, stack)]);
  return [
    '<h2>ω over training</h2>',
    '<p class="note">Mean of the components of ω of each sublayer over what it began with, and the standard deviation of ' +
      'its components over that; a line for each checkpoint.</p>',
    `<div class="pair">${charts.join('\n')}</div>`,
    `<details><summary>In numbers</summary>${omegaTable(points)}</details>`,
  ].join('\n');
}

function meanChart(points: readonly OmegaPoint[], stack: Stack): string {
  return courseChart(points, stack, 'mean over start', 'ω / start', ({ mean, start }) => mean / (start ?? 1));
}

function spreadChart(points: readonly OmegaPoint[], stack: Stack): string {
  return courseChart(
    points,
    stack,
    'standard deviation of the components over start',
    'deviation / start',
    ({ deviation, start }) => deviation / (start ?? 1),
  );
}

/** Values by sublayer, a line for each checkpoint. */
function courseChart(
  points: readonly OmegaPoint[],
  stack: Stack,
  what: string,
  label: string,
  value: (sublayer: OmegaPoint['sublayers'][number]) => number,
): string {
  const names = subjectNames(points);
  return lineChart({
    title: `${STACK_TITLES[stack]}: ${what}`,
    description: `${what} of ω of each sublayer of the ${stack}, for ${names.join(', ')}.`,
    x: {
      label: 'layer',
      ticks: layerTicks(points[0].sublayers.filter((site) => site.stack === stack)),
    },
    y: { label },
    series: points.map(({ sublayers }, style) => ({
      name: names[style],
      style,
      points: sublayers
        .filter((site) => site.stack === stack)
        .map((site, i): Point => ({ x: i + 1, y: value(site), place: siteName(site) })),
    })),
  });
}

function omegaTable(points: readonly OmegaPoint[]): string {
  const names = subjectNames(points);
  const rows = points[0].sublayers.map(({ stack, layer, sublayer, start }, i) =>
    [
      `<th scope="row">${stack} ${layer + 1}</th><td>${SUBLAYERS[sublayer]}</td>`,
      number(start, threeDigits),
      ...points.map(({ sublayers }) => {
        const { mean, deviation } = sublayers[i];
        return `<td class="number">${threeDigits(mean)} <span class="quiet">± ${threeDigits(deviation)}</span></td>`;
      }),
    ].join(''),
  );
  return table(['Layer', 'Sublayer', 'Start', ...names.map(escapeHtml)], rows, 2);
}

const threeDigits = (omega: number): string => omega.toFixed(3);
