import { bottomOf, type Frame, figure, fixed, MARGIN, rangeOf, tick, yOf } from './figure.js';
import type { CurvePoints, SweepGroup, SweepReport } from './sweep-results.js';
import { thin } from './training-curves.js';
import { compact } from './training-view.js';

const MOST_POINTS = 120;
/** So many groups are drawn; the tables have all. */
const MOST_CHARTS = 60;
/** Times the plateau: what is above, as where training diverges, is drawn at the top. */
const TOP = 1.6;

/** Negative log-likelihood over updates, a small chart for each group and a line for each seed; all on the same axes. */
export function curveSection({ groups }: SweepReport): string {
  const shown = groups
    .filter(({ cells }) => cells.some((cell) => pointsOf(cell).length > 0))
    .slice(0, MOST_CHARTS);
  if (shown.length === 0) return '';
  const all = shown.flatMap(({ cells }) => cells.flatMap(pointsOf));
  const plateaus = shown.flatMap(({ unigram }) => unigram ?? []);
  const top = plateaus.length === 0 ? Infinity : TOP * Math.max(...plateaus);
  const heights = [...all.map(([, bits]) => Math.min(bits, top)), ...plateaus];
  const frame: Frame = { width: 230, height: 150, range: rangeOf(heights) };
  const most = Math.max(...all.map(([updates]) => updates));
  const note =
    `Bits a token over updates: lines in training, dots in validation, a colour for each seed; the dashed line is the unigram plateau.` +
    (shown.length === MOST_CHARTS ? ` The first ${MOST_CHARTS} settings.` : '');
  const charts = shown.map((group) => groupChart(group, frame, most));
  return `<h2>Learning curves</h2>\n<p class="note">${note}</p>\n<div class="small curves">${charts.join('\n')}</div>`;
}

function pointsOf({ curves }: SweepGroup['cells'][number]): CurvePoints {
  return [...curves.train, ...curves.valid];
}

function groupChart({ name, cells, unigram }: SweepGroup, frame: Frame, most: number): string {
  const right = frame.width - MARGIN.right;
  const xOf = (updates: number): number => MARGIN.left + (right - MARGIN.left) * (updates / most);
  const place = ([updates, bits]: CurvePoints[number]): [string, string] => [
    fixed(xOf(updates)),
    fixed(yOf(frame, Math.min(bits, frame.range[1]))),
  ];
  const plateau =
    unigram === null
      ? ''
      : `<line class="plateau" x1="${MARGIN.left}" x2="${right}" y1="${fixed(yOf(frame, unigram))}" y2="${fixed(yOf(frame, unigram))}"/>`;
  const lines = cells.map(({ seed, curves: { train, valid } }, i) => {
    const kept = thin(
      train.map(([, bits]) => bits),
      MOST_POINTS,
    ).map((at) => place(train[at]).join(','));
    const dots = thin(
      valid.map(([, bits]) => bits),
      MOST_POINTS / 4,
    ).map((at) => {
      const [x, y] = place(valid[at]);
      const [updates, bits] = valid[at];
      return `<circle cx="${x}" cy="${y}" r="2"><title>seed ${seed}, ${updates} updates: ${compact(bits)}</title></circle>`;
    });
    return `<g class="run-${i % 8}"><polyline points="${kept.join(' ')}"/>${dots.join('')}</g>`;
  });
  const numbers = [0, most].map((updates) =>
    tick(xOf(updates), bottomOf(frame) + 16, compact(updates), updates === 0 ? 'start' : 'end'),
  );
  return figure(name, frame, `Learning curves of ${name}`, [plateau, ...numbers, ...lines]);
}
