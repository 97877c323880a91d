import { FIGURE_NAMES, type FigureName, figureOf, SCORE_NAMES } from '../common/validation-figures.js';
import type { MetricsPoint, ShownFigure, TrainingRun } from './training-run.js';

/** The charts that have something to show for some runs: without any of its scores, that of a score is left out. */
export function chartsOf(runs: readonly RunCurves[]): readonly ChartSpec[] {
  return CHARTS.filter(
    ({ id, key }) => !isScore(key) || runs.some(({ curves }) => curves[id].values.length > 0),
  );
}

/** A chart of the report. */
export interface ChartSpec {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly event: 'train' | 'valid';
  readonly key: ShownFigure;
  /** Whether it is noisy enough to be smoothed. */
  readonly noisy: boolean;
  /** Whether it opens with a logarithmic axis; null where it has zeros and no such axis. */
  readonly log: boolean | null;
}

/** The charts in the order of the page. */
export const CHARTS: readonly ChartSpec[] = [
  ...FIGURE_NAMES.flatMap(chartsOfFigure),
  chart('train', 'gnorm', 'Gradient norm', 'before clipping', true, false),
  chart('train', 'clip', 'Clipped updates', '%', true, null),
  chart('train', 'lr', 'Learning rate', '', false, false),
  chart('train', 'wps', 'Speed', 'target tokens a second', true, false),
];

const isScore = (key: ShownFigure): boolean => (SCORE_NAMES as readonly string[]).includes(key);

/** What training measures as well is drawn for both. */
function chartsOfFigure(name: FigureName): ChartSpec[] {
  const { chart: drawn, unit, translated } = figureOf(name);
  if (drawn === null) return [];
  const valid = chart('valid', name, `Validation ${drawn.title}`, unit, false, drawn.log);
  return translated
    ? [valid]
    : [chart('train', name, `Training ${drawn.title}`, unit, true, drawn.log), valid];
}

function chart(
  event: ChartSpec['event'],
  key: ChartSpec['key'],
  title: string,
  unit: string,
  noisy: boolean,
  log: boolean | null,
): ChartSpec {
  return { id: `${event}-${key}`, title, unit, event, key, noisy, log };
}

/** Values over the number of updates. */
export interface Curve {
  readonly updates: readonly number[];
  readonly values: readonly number[];
}

/** Epochs and hours at some numbers of updates; between these they are interpolated. */
export interface Clock {
  readonly updates: readonly number[];
  readonly epochs: readonly number[];
  readonly hours: readonly number[];
}

/** The curves of a run, by the id of their chart. */
export interface RunCurves {
  readonly name: string;
  readonly clock: Clock;
  readonly curves: Readonly<Record<string, Curve>>;
}

const MOST_POINTS = 2000;
const MOST_TICKS = 500;

/** What the page draws of a run: at most 2000 points a curve, with its extremes. */
export function runCurves({ name, lines }: Pick<TrainingRun, 'name' | 'lines'>): RunCurves {
  const curves = CHARTS.map(({ id, event, key }) => {
    const points = ascending(lines.filter((line) => line.event === event && Number.isFinite(line[key])));
    const kept = thin(
      points.map((line) => line[key]!),
      MOST_POINTS,
    ).map((i) => points[i]);
    return [id, { updates: kept.map(updatesOf), values: kept.map((line) => short(line[key]!)) }] as const;
  });
  return { name, clock: clockOf(lines), curves: Object.fromEntries(curves) };
}

const updatesOf = (line: MetricsPoint): number => line.num_updates;
const short = (value: number): number => Number(value.toPrecision(6));

/** Without lines that later ones have written again. */
function ascending(lines: readonly MetricsPoint[]): MetricsPoint[] {
  const kept: MetricsPoint[] = [];
  for (const line of lines) {
    while (kept.length > 0 && kept[kept.length - 1].num_updates >= line.num_updates) kept.pop();
    kept.push(line);
  }
  return kept;
}

/**
 * Which values to keep so that a curve looks the same: the ends, and the least and the greatest of each stretch.
 *
 * @returns indices, ascending, at most `most` (at least 4) of them
 */
export function thin(values: readonly number[], most: number): number[] {
  if (values.length <= most) return values.map((_, i) => i);
  const inner = values.length - 2;
  const stretches = Math.floor((most - 2) / 2);
  const kept = new Set([0]);
  for (let s = 0; s < stretches; s++) {
    const start = 1 + Math.floor((s * inner) / stretches);
    const end = 1 + Math.floor(((s + 1) * inner) / stretches);
    let [least, greatest] = [start, start];
    for (let i = start; i < end; i++) {
      if (values[i] < values[least]) least = i;
      if (values[i] > values[greatest]) greatest = i;
    }
    kept.add(Math.min(least, greatest)).add(Math.max(least, greatest));
  }
  return [...kept.add(values.length - 1)];
}

/**
 * Epochs done and hours over updates. A line names the epoch it lies in; how much of it is done follows from the
 * updates at which the epochs end, the one under way taken to be as long as the longest before it.
 */
export function clockOf(lines: readonly MetricsPoint[]): Clock {
  const sorted = ascending(lines.filter(({ event }) => event === 'train'));
  const used = sorted.length > 0 ? sorted : ascending(lines);
  const ends = new Map([[0, 0]]);
  for (const { epoch, num_updates } of [...lines].sort((a, b) => a.num_updates - b.num_updates)) {
    ends.set(epoch, num_updates);
  }
  const last = used.at(-1)?.epoch ?? 0;
  const endOf = (epoch: number): number => ends.get(epoch) ?? 0;
  const lengthOf = (epoch: number): number => endOf(epoch) - endOf(epoch - 1);
  const longest = [...ends.keys()].reduce(
    (most, e) => (e > 0 && e < last ? Math.max(most, lengthOf(e)) : most),
    0,
  );
  const epochsDone = ({ epoch, num_updates }: MetricsPoint): number => {
    const length = epoch === last ? Math.max(longest, lengthOf(epoch)) : lengthOf(epoch);
    return epoch - 1 + (length > 0 ? (num_updates - endOf(epoch - 1)) / length : 0);
  };
  const every = Math.ceil(used.length / MOST_TICKS);
  const ticks = used.filter((_, i) => i % every === 0 || i === used.length - 1);
  return {
    updates: [0, ...ticks.map(updatesOf)],
    epochs: [0, ...ticks.map((line) => short(epochsDone(line)))],
    hours: [0, ...ticks.map(({ wall }) => short(wall / 3600))],
  };
}
