import { SUBLAYERS, siteName } from './analysis-names.js';
import { bottomOf, type Frame, figure, fixed, MARGIN, rangeOf, tick, yOf } from './figure.js';
import { escapeHtml } from './html.js';
import { number, table } from './html-table.js';
import { runKey } from './run-key.js';
import type { Stack, SublayerOmega, TrainingRun } from './training-run.js';

/** With more sublayers than this, only every fifth layer is named. */
const CROWD = 40;

/** ω of each sublayer at the start and as trained; empty where no run has any. */
export function omegaSection(runs: readonly TrainingRun[]): string {
  const all = runs.flatMap(({ weights }) => weights?.omega ?? []);
  if (all.length === 0) return '';
  const range = rangeOf(
    all.flatMap(({ mean, deviation, start }) => [mean - deviation, mean + deviation, start ?? mean]),
  );
  const charts = (['encoder', 'decoder'] as const).map((stack) => {
    const sites = runs.map(({ weights }) => weights?.omega.filter((site) => site.stack === stack) ?? []);
    return omegaChart(stack, sites, range);
  });
  return [
    '<h2>ω of each shortcut</h2>',
    '<p class="note">A ring is ω at the start, a dot its mean at the last checkpoint, the line one standard deviation ' +
      'of its components. Sublayers in their order: s self-attention, e encoder-attention, f feed-forward.</p>',
    `<div class="pair">${charts.join('\n')}</div>`,
    `<details><summary>In numbers</summary>${runs.map(omegaTable).join('\n')}</details>`,
  ].join('\n');
}

function omegaTable({ name, weights }: TrainingRun, run: number): string {
  if (weights === null || weights.omega.length === 0) return '';
  const rows = weights.omega.map(({ stack, layer, sublayer, start, mean, deviation, least, most }) => {
    const change = start === null ? null : 100 * (mean / start - 1);
    return [
      `<th scope="row">${stack} ${layer + 1}</th><td>${SUBLAYERS[sublayer]}</td>`,
      ...[start, mean].map((omega) => number(omega, threeDigits)),
      number(change, signedPercent),
      ...[deviation, least, most].map((omega) => number(omega, threeDigits)),
    ].join('');
  });
  const heads = ['Layer', 'Sublayer', 'Start', 'Mean', 'Change', 'Deviation', 'Least', 'Most'];
  const title = `${runKey(run)} ${escapeHtml(name)} <span class="quiet">${escapeHtml(weights.checkpoint)}</span>`;
  return `<h3>${title}</h3>\n${table(heads, rows, 2)}`;
}

/** `+0.2 %`, `−3.1 %`; without a sign where it rounds to nothing. */
function signedPercent(percent: number): string {
  const size = Math.abs(percent).toFixed(1);
  return `${size === '0.0' ? '' : percent < 0 ? '−' : '+'}${size} %`;
}

const threeDigits = (omega: number): string => omega.toFixed(3);

function omegaChart(
  stack: Stack,
  runs: readonly SublayerOmega[][],
  range: readonly [number, number],
): string {
  const frame: Frame = { width: 540, height: 210, range };
  const longest = runs.reduce((most, sites) => (sites.length > most.length ? sites : most), []);
  const step = (frame.width - MARGIN.left - MARGIN.right) / Math.max(1, longest.length);
  const xOf = (i: number): number => MARGIN.left + (i + 0.5) * step;
  const shown = runs.flatMap((sites, run) => (sites.length > 0 ? [run] : []));
  const marks = shown.map((run, place) => {
    // The marks of several runs stand side by side.
    const shift = ((place + 0.5) / shown.length - 0.5) * Math.min(step * 0.7, shown.length * 9);
    const drawn = runs[run].map((site, i) => omegaMark(frame, xOf(i) + shift, site));
    const last = runs[run][runs[run].length - 1];
    const top = yOf(frame, Math.max(last.mean + last.deviation, last.start ?? 0));
    const label = `<text class="label" x="${fixed(xOf(runs[run].length - 1) + shift)}" y="${fixed(top - 6)}" text-anchor="middle">${run + 1}</text>`;
    return `<g class="run-${run % 8}">${drawn.join('')}${label}</g>`;
  });
  return figure(stack, frame, `ω of the ${stack}`, [siteTicks(frame, longest, xOf, step), ...marks]);
}

/** Letters of the sublayers, and a line and a number where a layer begins. */
function siteTicks(
  frame: Frame,
  sites: readonly SublayerOmega[],
  xOf: (i: number) => number,
  step: number,
): string {
  const bottom = bottomOf(frame);
  const crowded = sites.length > CROWD;
  return sites
    .map(({ layer, sublayer }, i) => {
      const letter = crowded ? '' : tick(xOf(i), bottom + 14, sublayer[0]);
      const begins = i === 0 || sites[i - 1].layer !== layer;
      if (!begins || (crowded && layer % 5 !== 0)) return letter;
      const x = xOf(i) - step / 2;
      const line = `<line class="grid" x1="${fixed(x)}" x2="${fixed(x)}" y1="${MARGIN.top}" y2="${bottom}"/>`;
      return letter + line + tick(x + 3, bottom + 29, `${layer === 0 ? 'layer ' : ''}${layer + 1}`, 'start');
    })
    .join('');
}

function omegaMark(frame: Frame, x: number, site: SublayerOmega): string {
  const { stack, start, mean, deviation } = site;
  const [y, low, high] = [mean, mean - deviation, mean + deviation].map((omega) => fixed(yOf(frame, omega)));
  const title = `${stack}, ${siteName(site)}: ${start?.toFixed(3) ?? '?'} → ${mean.toFixed(3)} ± ${deviation.toFixed(3)}`;
  return [
    `<g><title>${title}</title>`,
    `<line x1="${fixed(x)}" x2="${fixed(x)}" y1="${low}" y2="${high}"/>`,
    start === null ? '' : `<circle class="ring" cx="${fixed(x)}" cy="${fixed(yOf(frame, start))}" r="3.5"/>`,
    `<circle cx="${fixed(x)}" cy="${y}" r="2.2"/></g>`,
  ].join('');
}
