import { fixed, tick } from './figure.js';
import { escapeHtml } from './html.js';
import { dashOf } from './run-key.js';
import { compact, spreadLabels } from './training-view.js';

/** Still charts of lines in SVG, with linear or logarithmic axes. */

export interface Point {
  readonly x: number;
  /** Null, no number, or 0 on a logarithmic axis leave a gap. */
  readonly y: number | null;
  /** What stands at x where that is no number to a reader, such as `feed-forward 2`. */
  readonly place?: string;
  /** Ends of the error bar. */
  readonly low?: number;
  readonly high?: number;
}

export interface Series {
  readonly name: string;
  /** Which of the colours and dashes. */
  readonly style: number;
  /** What is expected, in contrast to measured: pale, without dots. */
  readonly faint?: boolean;
  readonly points: readonly Point[];
}

export interface Axis {
  readonly label: string;
  readonly log?: boolean;
  /** Where numbers stand, in place of round ones; a number may have another name. */
  readonly ticks?: readonly (number | { readonly at: number; readonly text: string })[];
}

export interface LineChart {
  readonly title: string;
  /** What is seen, for those who do not see it. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Lowest and highest y, where several charts share them. */
  readonly range?: readonly [number, number];
}

const [WIDTH, HEIGHT] = [540, 250];
const MARGIN = { left: 66, top: 10, bottom: 38 };
/** Columns of a character of the names beside the lines, and the most of them that are shown. */
const LETTER = 7;
const LONGEST_NAME = 26;

/** Where the lines end, so that the longest name has room beside them. */
function rightEnd(series: readonly Series[]): number {
  const longest = Math.max(10, ...series.map(({ name }) => shownName(name).length));
  return WIDTH - 12 - LETTER * longest;
}

function shownName(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
}

/** Brings a value to its place in the picture. */
type Scale = (value: number) => number;

/** The chart as a figure with its title as caption. */
export function lineChart(chart: LineChart): string {
  const drawn = chart.series.map((series) => ({
    ...series,
    points: series.points.filter((point): point is Point & { y: number } => canBeDrawn(point, chart)),
  }));
  const points = drawn.flatMap((series) => series.points);
  if (points.length === 0) return '';
  const xRange = spanOf(
    points.map(({ x }) => x),
    chart.x,
    0,
  );
  const yRange =
    chart.range ??
    spanOf(
      points.flatMap(({ y, low, high }) => [
        y,
        ...[low, high].filter((end) => fits(end, chart.y)),
      ]) as number[],
      chart.y,
      0.06,
    );
  const right = rightEnd(chart.series);
  const x = scaleOf(xRange, chart.x, MARGIN.left + 6, right - 6);
  const y = scaleOf(yRange, chart.y, HEIGHT - MARGIN.bottom, MARGIN.top);
  const content = [
    ...yTicks(yRange, chart.y, y, right),
    ...xTicks(xRange, chart.x, x, right),
    ...drawn.map((series) => seriesMark(series, chart, x, y)),
    ...endLabels(drawn, x, y),
  ];
  return svgFigure(chart.title, chart.description, [WIDTH, HEIGHT], content);
}

/** A figure with a picture that a screen reader can read. @param content SVG */
export function svgFigure(
  title: string,
  description: string,
  [width, height]: readonly [number, number],
  content: readonly string[],
): string {
  return (
    `<figure><figcaption>${escapeHtml(title)}</figcaption>` +
    `<svg viewBox="0 0 ${width} ${height}" role="img"><title>${escapeHtml(title)}</title>` +
    `<desc>${escapeHtml(description)}</desc>${content.join('')}</svg></figure>`
  );
}

function canBeDrawn({ x, y }: Point, chart: LineChart): boolean {
  return fits(y, chart.y) && fits(x, chart.x);
}

function fits(value: number | null | undefined, { log = false }: Axis): value is number {
  return value != null && Number.isFinite(value) && (!log || value > 0);
}

/** Least and greatest value; never the same. @param air share of the span to leave free on both sides */
function spanOf(values: readonly number[], { log = false }: Axis, air: number): [number, number] {
  const seen = log ? values.map(Math.log10) : values;
  let [low, high] = [Infinity, -Infinity];
  for (const value of seen) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const more = high > low ? air * (high - low) : log ? 0.5 : Math.abs(high) * 0.1 || 1;
  const ends: [number, number] = [low - more, high + more];
  return log ? [10 ** ends[0], 10 ** ends[1]] : ends;
}

function scaleOf(
  [low, high]: readonly [number, number],
  { log = false }: Axis,
  from: number,
  to: number,
): Scale {
  const map = log ? Math.log10 : (value: number): number => value;
  const [start, end] = [map(low), map(high)];
  return (value) => from + ((map(value) - start) / (end - start)) * (to - from);
}

/** Round numbers in a range, at least two; the same steps apart, at most twice as far as four of them would be. */
function evenTicks([low, high]: readonly [number, number]): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough)! * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * Round numbers in a range, at least two. On a logarithmic axis powers of ten, with 2 and 5 where they are few, and
 * as on any other axis where those are few too.
 */
export function roundTicks(range: readonly [number, number], log: boolean): number[] {
  if (!log) return evenTicks(range);
  const [low, high] = range;
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const powers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const within = (value: number): boolean => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);
  const steps = last - first > 9 ? 2 : 1;
  const tens = powers.filter((power) => power % steps === 0).map((power) => Number(`1e${power}`));
  const found = tens.filter(within);
  if (found.length > 2) return found;
  const more = powers
    .flatMap((power) => [1, 2, 5].map((factor) => Number(`${factor}e${power}`)))
    .filter(within);
  return more.length > 2 ? more : evenTicks(range);
}

function ticksOf(range: readonly [number, number], axis: Axis): { at: number; text: string }[] {
  const ticks = axis.ticks ?? roundTicks(range, axis.log ?? false);
  const numbers = ticks.flatMap((own) => (typeof own === 'number' ? own : []));
  const told = (digits: number): boolean =>
    new Set(numbers.map((value) => tickText(value, digits))).size === numbers.length;
  const digits = [4, 6, 8].find(told) ?? 12;
  return ticks.map((own) => (typeof own === 'number' ? { at: own, text: tickText(own, digits) } : own));
}

/** @param digits to tell ticks apart; 4 where they do */
function tickText(value: number, digits: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(digits - 1).replace(/\.?0*e-/, 'e−');
  return digits === 4 ? compact(value) : String(Number(value.toPrecision(digits)));
}

function yTicks(range: readonly [number, number], axis: Axis, y: Scale, right: number): string[] {
  const lines = ticksOf(range, axis).map(({ at, text }) => {
    const height = fixed(y(at));
    const line = `<line class="grid" x1="${MARGIN.left}" x2="${right}" y1="${height}" y2="${height}"/>`;
    return line + tick(MARGIN.left - 6, y(at) + 4, text, 'end');
  });
  const middle = (MARGIN.top + HEIGHT - MARGIN.bottom) / 2;
  const label = `<text class="tick" transform="translate(11 ${middle}) rotate(-90)" text-anchor="middle">${axisLabel(axis)}</text>`;
  return [...lines, label];
}

function xTicks(range: readonly [number, number], axis: Axis, x: Scale, right: number): string[] {
  const bottom = HEIGHT - MARGIN.bottom;
  const numbers = ticksOf(range, axis).map(({ at, text }) => tick(x(at), bottom + 15, escapeHtml(text)));
  return [...numbers, tick((MARGIN.left + right) / 2, HEIGHT - 6, axisLabel(axis))];
}

function axisLabel({ label, log = false }: Axis): string {
  return escapeHtml(log ? `${label} (log scale)` : label);
}

interface Drawn extends Series {
  readonly points: readonly (Point & { readonly y: number })[];
}

function seriesMark(
  { name, style, faint = false, points }: Drawn,
  chart: LineChart,
  x: Scale,
  y: Scale,
): string {
  const path = points.map((point) => `${fixed(x(point.x))},${fixed(y(point.y))}`).join(' ');
  const line = `<polyline points="${path}" stroke-dasharray="${(faint ? [] : dashOf(style)).join(' ')}"/>`;
  if (faint) return `<g class="run-${style % 8} faint">${line}</g>`;
  const marks = points.map((point) => {
    const bar = [point.low, point.high].map((end) => (fits(end, chart.y) ? end : point.y));
    const middle = fixed(x(point.x));
    const error =
      point.low === undefined
        ? ''
        : `<line x1="${middle}" x2="${middle}" y1="${fixed(y(bar[0]))}" y2="${fixed(y(bar[1]))}"/>`;
    const place = point.place ?? `${chart.x.label} ${compact(point.x)}`;
    const title = `${name}, ${place}: ${compact(point.y)}`;
    return `${error}<circle cx="${middle}" cy="${fixed(y(point.y))}" r="2.3"><title>${escapeHtml(title)}</title></circle>`;
  });
  return `<g class="run-${style % 8}">${line}${marks.join('')}</g>`;
}

/** The name of each measured series where it ends. */
function endLabels(drawn: readonly Drawn[], x: Scale, y: Scale): string[] {
  const named = drawn.filter(({ faint, points }) => !faint && points.length > 0);
  const ends = named.map(({ points }) => points[points.length - 1]);
  const heights = spreadLabels(
    ends.map((end) => y(end.y)),
    12,
    HEIGHT - MARGIN.bottom,
  );
  const right = Math.max(...ends.map((end) => x(end.x)));
  return named.map(
    ({ name, style }, i) =>
      `<text class="label run-${style % 8}" x="${fixed(right + 7)}" y="${fixed(heights[i] + 4)}">` +
      `${escapeHtml(shownName(name))}${name === shownName(name) ? '' : `<title>${escapeHtml(name)}</title>`}</text>`,
  );
}
