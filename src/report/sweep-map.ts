import { escapeHtml } from './html.js';
import {
  lettersOf,
  type SweepAxis,
  type SweepGroup,
  type SweepReport,
  spread,
  worstVerdict,
} from './sweep-results.js';
import type { Verdict } from './verdict.js';

/** A grid of two axes, the others fixed. */
export interface MapPanel {
  /** What is fixed: `residual admin`; empty where nothing is. */
  readonly caption: string;
  readonly across: SweepAxis;
  readonly down: SweepAxis;
  /** [down][across]; null where the plan has no such cell. */
  readonly cells: readonly (readonly (MapCell | null)[])[];
}

export interface MapCell {
  /** The worst of the seeds. */
  readonly verdict: Verdict;
  /** Of each seed. */
  readonly letters: string;
  /** Mean of the best validation losses, in bits a token. */
  readonly loss: number | null;
}

/**
 * Panels for every pair of numeric axes; of the first two axes where there is no such pair, of none where there is one axis.
 * A pair whose panels are half empty or more, as cells of a list can have it, is no grid, and left out.
 */
export function divergenceMap({ axes, groups }: SweepReport): MapPanel[] {
  return axisPairs(axes).flatMap(([across, down]) => {
    const panels = panelsOf(across, down, axes, groups);
    const cells = panels.flatMap((panel) => panel.cells.flat());
    return 2 * cells.filter((cell) => cell !== null).length > cells.length ? panels : [];
  });
}

function panelsOf(
  across: SweepAxis,
  down: SweepAxis,
  axes: readonly SweepAxis[],
  groups: readonly SweepGroup[],
): MapPanel[] {
  const others = axes.flatMap((axis, i) => (axis === across || axis === down ? [] : [i]));
  const fixed = (group: SweepGroup): string =>
    others.map((i) => `${axes[i].label} ${group.values[i]}`).join(', ');
  const captions = [...new Set(groups.map(fixed))];
  return captions.map((caption) => {
    const own = groups.filter((group) => fixed(group) === caption);
    const at = (x: string, y: string): SweepGroup | undefined =>
      own.find(({ values }) => values[axes.indexOf(across)] === x && values[axes.indexOf(down)] === y);
    const cells = down.values.map((y) => across.values.map((x) => mapCell(at(x, y))));
    return { caption, across, down, cells };
  });
}

function axisPairs(axes: readonly SweepAxis[]): [SweepAxis, SweepAxis][] {
  const numeric = axes.filter((axis) => axis.numeric && axis.values.length > 1);
  const pairs = numeric.flatMap((across, i) =>
    numeric.slice(i + 1).map((down): [SweepAxis, SweepAxis] => [across, down]),
  );
  if (pairs.length > 0 || axes.length < 2) return pairs;
  const across = numeric[0] ?? axes[1];
  return [[across, axes.find((axis) => axis !== across)!]];
}

function mapCell(group: SweepGroup | undefined): MapCell | null {
  if (group === undefined) return null;
  const losses = group.cells.flatMap(({ best }) => best?.loss ?? []);
  return {
    verdict: worstVerdict(group.cells),
    letters: lettersOf(group.cells),
    loss: losses.length === 0 ? null : spread(losses).mean,
  };
}

/** A panel as a table of Markdown. */
export function markdownPanel({ caption, across, down, cells }: MapPanel): string {
  const row = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`;
  const show = (cell: MapCell | null): string =>
    cell === null ? '' : `${cell.letters} ${cell.loss?.toFixed(2) ?? ''}`.trim();
  return [
    ...(caption === '' ? [] : [`**${caption}**`, '']),
    row([`${down.label} \\ ${across.label}`, ...across.values]),
    row(['---', ...across.values.map(() => '---')]),
    ...down.values.map((value, y) => row([value, ...cells[y].map(show)])),
  ].join('\n');
}

/** A panel as a table of HTML, coloured by verdict. */
export function htmlPanel({ caption, across, down, cells }: MapPanel): string {
  const heads = across.values.map((value) => `<th scope="col">${escapeHtml(value)}</th>`).join('');
  const rows = down.values.map(
    (value, y) => `<tr><th scope="row">${escapeHtml(value)}</th>${cells[y].map(htmlCell).join('')}</tr>`,
  );
  return (
    `<div class="panel">${caption === '' ? '' : `<h3>${escapeHtml(caption)}</h3>`}<table class="map">` +
    `<thead><tr><td></td><th scope="colgroup" class="axis" colspan="${across.values.length}">${escapeHtml(across.label)}</th></tr>` +
    `<tr><th scope="col" class="axis">${escapeHtml(down.label)}</th>${heads}</tr></thead>` +
    `<tbody>${rows.join('')}</tbody></table></div>`
  );
}

function htmlCell(cell: MapCell | null): string {
  if (cell === null) return '<td></td>';
  const { verdict, letters, loss } = cell;
  return `<td class="${verdict}" title="${verdict}"><b>${letters}</b> <span>${loss?.toFixed(2) ?? ''}</span></td>`;
}
