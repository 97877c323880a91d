import { inRange, type Range } from './comparison-view.js';
import { escapeHtml } from './html.js';

/** A range of advantages and how many segments lie in it. */
export interface Bin extends Range {
  readonly count: number;
}

const BINS_A_SIDE = 10;
/** Of bins; finer differences are rounding errors. */
const LEAST_WIDTH = 1e-6;

/** How many segments A is better in, neither is, B is. */
export function countSides(advantages: readonly number[]): Bin[] {
  return [1, 0, -1].map((side) => {
    const range = { side, low: 0, high: Infinity };
    return { ...range, count: advantages.filter((advantage) => inRange(advantage, range)).length };
  });
}

/**
 * A histogram of advantages, from A's largest to B's largest. Both sides have bins of one width, a round number
 * that lets the largest advantage into the tenth bin or an earlier one; segments without an advantage are in none.
 */
export function binAdvantages(advantages: readonly number[]): Bin[] {
  const largest = advantages.reduce((most, advantage) => Math.max(most, Math.abs(advantage)), 0);
  if (largest === 0) return [];
  const width = Math.max(LEAST_WIDTH, roundUp(largest / BINS_A_SIDE));
  const edges = [0];
  while (edges.at(-1)! < largest) edges.push(Number((edges.length * width).toPrecision(12)));
  const counts = { a: edges.map(() => 0), b: edges.map(() => 0) };
  for (const advantage of advantages) {
    const upper = edges.findIndex((edge) => Math.abs(advantage) <= edge);
    if (upper > 0) counts[advantage > 0 ? 'a' : 'b'][upper]++;
  }
  const uppers = edges.map((_, upper) => upper).slice(1);
  const bin = (side: number, upper: number): Bin => ({
    side,
    low: edges[upper - 1],
    high: edges[upper],
    count: counts[side > 0 ? 'a' : 'b'][upper],
  });
  return [...uppers.toReversed().map((upper) => bin(1, upper)), ...uppers.map((upper) => bin(-1, upper))];
}

/** The next number of the form 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5].find((candidate) => candidate * power >= value * (1 - 1e-12)) ?? 10;
  return step * power;
}

/** The histogram as HTML: a button for each bin, which the page's script makes a filter. */
export function histogram(advantages: readonly number[], metric: string): string {
  const bins = binAdvantages(advantages);
  if (bins.length === 0) return '<p class="note">No segment differs in score.</p>';
  const tallest = Math.max(...bins.map(({ count }) => count));
  const bars = bins.map((bin) => {
    const { side, low, high, count } = bin;
    const system = side > 0 ? 'A' : 'B';
    const label = `${system} better by ${low} to ${high}: ${count} segment${count === 1 ? '' : 's'}`;
    return (
      `<button type="button" class="bar ${system.toLowerCase()}" ${rangeAttributes(bin)} title="${label}" ` +
      `aria-label="${label}"${count === 0 ? ' disabled' : ''}>` +
      `<span class="count">${count || ''}</span>` +
      `<span class="fill" style="--share:${(count / tallest).toFixed(4)}"></span>` +
      `<span class="edge">${high}</span></button>`
    );
  });
  return (
    `<div class="histogram" role="group" aria-label="Segments by difference in ${escapeHtml(metric)}">` +
    `${bars.slice(0, bins.length / 2).join('')}<span class="zero">0</span>${bars.slice(bins.length / 2).join('')}</div>`
  );
}

/** What makes a button a filter by range. */
export function rangeAttributes({ side, low, high }: Range): string {
  return `data-range="${side} ${low} ${high}" aria-pressed="false"`;
}
