import { formatAge } from '../common/duration.js';
import { type FigureName, figureOf, formatFigure, SCORE_NAMES } from '../common/validation-figures.js';
import type { RunOverview } from './training-run.js';

/** A run in the list of runs. */
export interface ListedRun extends RunOverview {
  /** Seconds since its last change. */
  readonly age: number;
  /** On disk. */
  readonly bytes: number;
}

interface Column {
  readonly head: string;
  readonly text: (run: ListedRun) => string;
  readonly left?: boolean;
  /** Left out where this is what it says of every run. */
  readonly usual?: string;
}

const ABSENT = '–';

const COLUMNS: readonly Column[] = [
  { head: 'run', text: ({ name }) => name, left: true },
  { head: 'state', text: ({ state }) => state, left: true },
  { head: 'precision', text: ({ precision }) => precision, left: true, usual: 'float32' },
  { head: 'updates', text: ({ updates }) => String(updates) },
  { head: 'epoch', text: ({ epoch }) => String(epoch) },
  { head: 'best valid loss', text: ({ best }) => shown('loss', best?.loss) },
  ...SCORE_NAMES.filter((name) => figureOf(name).listed).map((name) => ({
    head: `best ${figureOf(name).label}`,
    text: ({ bestScores }: ListedRun) => shown(name, bestScores[name]),
    usual: ABSENT,
  })),
  { head: 'changed', text: ({ age }) => formatAge(age) },
  { head: 'size', text: ({ bytes }) => formatBytes(bytes) },
];

function shown(name: FigureName, value: number | undefined): string {
  return value === undefined ? ABSENT : formatFigure(name, value);
}

/** Runs as a table of text: a line for the heads, and one for each run. */
export function formatRuns(runs: readonly ListedRun[]): string[] {
  const columns = COLUMNS.filter(
    ({ usual, text }) => usual === undefined || runs.some((run) => text(run) !== usual),
  );
  const rows = [columns.map(({ head }) => head), ...runs.map((run) => columns.map(({ text }) => text(run)))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (columns[i].left ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  );
}

/** `512 B`, `1.5 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = units.findIndex((_, i) => i === units.length - 1 || bytes < 999.95 * 1000 ** i);
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
