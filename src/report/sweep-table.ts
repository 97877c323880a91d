import { formatDuration } from '../common/duration.js';
import { figureOf, SCORE_NAMES, type ScoreName } from '../common/validation-figures.js';
import { escapeHtml } from './html.js';
import { table } from './html-table.js';
import {
  lettersOf,
  type SweepCell,
  type SweepGroup,
  type SweepReport,
  spread,
  type TestResult,
  worstVerdict,
} from './sweep-results.js';
import type { Verdict } from './verdict.js';

/** A table of text, for Markdown and HTML. */
export interface TextTable {
  readonly heads: readonly string[];
  /** How many of the first columns hold text; the rest numbers. */
  readonly texts: number;
  readonly rows: readonly TextRow[];
}

interface TextRow {
  readonly cells: readonly string[];
  /** What the cell under `verdict` stands for. */
  readonly verdict: Verdict;
}

const VERDICT = 'verdict';
const NONE = '–';

const testHead = (name: ScoreName): string => `test ${figureOf(name).label}`;

/** The scores of the test text that some training has. */
function scoresOf(groups: readonly SweepGroup[]): ScoreName[] {
  return SCORE_NAMES.filter((name) =>
    groups.some(
      ({ significance, cells }) =>
        significance?.[name] !== undefined || cells.some(({ test }) => test?.[name] !== undefined),
    ),
  );
}

/** A row for each group: means over the seeds. */
export function groupTable({ listed, axes, groups }: SweepReport): TextTable {
  const scores = scoresOf(groups);
  const named = listed || axes.length === 0;
  const names = named ? ['cell'] : axes.map(({ label }) => label);
  const figures = ['best valid loss', 'ppl', 'updates', 'tokens/s', 'time'];
  return {
    heads: [...names, VERDICT, 'seeds', ...figures, ...scores.flatMap((name) => [testHead(name), 'p'])],
    texts: names.length + 1,
    rows: groups.map((group, i) => ({
      verdict: worstVerdict(group.cells),
      cells: [
        ...(named ? [group.name] : group.values),
        lettersOf(group.cells),
        ...groupFigures(group),
        ...groupScores(group, scores, i === 0),
      ],
    })),
  };
}

function groupFigures({ cells }: SweepGroup): string[] {
  return [
    String(cells.length),
    plusMinus(
      cells.map(({ best }) => best?.loss),
      3,
    ),
    plusMinus(
      cells.map(({ best }) => best && 2 ** best.nll),
      2,
    ),
    plusMinus(
      cells.map(({ updates }) => updates),
      0,
    ),
    plusMinus(
      cells.map(({ speed }) => speed),
      0,
    ),
    formatDuration(spread(cells.map(({ seconds }) => seconds)).mean),
  ];
}

function groupScores(
  { cells, significance }: SweepGroup,
  names: readonly ScoreName[],
  first: boolean,
): string[] {
  return names.flatMap((name) => [
    plusMinus(
      cells.map(({ test }) => test?.[name]),
      figureOf(name).decimals,
    ),
    first ? '' : formatTest(significance?.[name]),
  ]);
}

/** The probability, with a star where the groups differ; of equal ones it would say nothing. */
function formatTest(test: TestResult | undefined): string {
  if (test === undefined) return NONE;
  const { p, finding } = test;
  if (finding === 'same text' || finding === 'same counts') return finding;
  return `${p < 0.001 ? '<0.001' : p.toFixed(3)}${finding === 'differs' ? '*' : ''}`;
}

/** `5.120 ± 0.031`, of how many where some have none. */
function plusMinus(found: readonly (number | null | undefined)[], digits: number): string {
  const values = found.filter((value) => value != null);
  if (values.length === 0) return NONE;
  const { mean, deviation } = spread(values);
  const some = values.length < found.length ? ` (${values.length})` : '';
  const exact = deviation === null || (digits === 0 && deviation === 0);
  return `${fixed(mean, digits)}${exact ? '' : ` ± ${fixed(deviation, digits)}`}${some}`;
}

/** A row for each training. */
export function cellTable({ groups }: SweepReport): TextTable {
  const scores = scoresOf(groups);
  const figures = ['best valid loss', 'nll', 'after', 'last valid loss', 'updates', 'tokens/s', 'time'];
  return {
    heads: ['cell', VERDICT, ...figures, ...scores.map(testHead)],
    texts: 2,
    rows: groups.flatMap(({ cells }) =>
      cells.map((cell) => ({
        verdict: cell.verdict,
        cells: [
          cell.name,
          cell.verdict,
          ...cellFigures(cell),
          ...scores.map((name) => fixed(cell.test?.[name], figureOf(name).decimals)),
        ],
      })),
    ),
  };
}

function cellFigures({ best, last, updates, speed, seconds }: SweepCell): string[] {
  return [
    fixed(best?.loss, 3),
    fixed(best?.nll, 3),
    best === null ? NONE : String(best.updates),
    fixed(last?.loss, 3),
    String(updates),
    fixed(speed, 0),
    formatDuration(seconds),
  ];
}

function fixed(value: number | null | undefined, digits: number): string {
  if (value == null) return NONE;
  return value < 1e6 ? value.toFixed(digits) : value.toExponential(1); // the perplexity of what has diverged
}

/** As Markdown, the columns aligned so that it reads as it is. */
export function markdownTable({ heads, texts, rows }: TextTable): string {
  const lines = [heads, ...rows.map(({ cells }) => cells)].map((line) =>
    line.map((cell) => cell.replaceAll('|', '\\|')),
  );
  const widths = heads.map((_, i) => Math.max(3, ...lines.map((line) => line[i].length)));
  const row = (line: readonly string[]): string =>
    `| ${line.map((cell, i) => (i < texts ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i < texts ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [row(lines[0]), row(rule), ...lines.slice(1).map(row)].join('\n');
}

/** As HTML, verdicts in their colours. */
export function htmlTable({ heads, texts, rows }: TextTable): string {
  const verdict = heads.indexOf(VERDICT);
  const cellsOf = ({ cells, verdict: own }: TextRow): string =>
    cells
      .map((text, i) => {
        if (i === 0) return `<th scope="row">${escapeHtml(text)}</th>`;
        if (i === verdict) return `<td><span class="verdict ${own}">${escapeHtml(text)}</span></td>`;
        return `<td${i < texts ? '' : ' class="number"'}>${escapeHtml(text)}</td>`;
      })
      .join('');
  return table(heads, rows.map(cellsOf), texts);
}
