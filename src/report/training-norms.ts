import { bottomOf, type Frame, figure, fixed, MARGIN, rangeOf, tick, yOf } from './figure.js';
import { dashOf } from './run-key.js';
import type { Stack, TrainingRun } from './training-run.js';
import { compact, spreadLabels } from './training-view.js';

/** The norms of the weights of each layer, a small chart for each kind of weight; empty without checkpoints. */
export function normSection(runs: readonly TrainingRun[]): string {
  const stacks = (['encoder', 'decoder'] as const).map((stack) => stackCharts(runs, stack));
  if (stacks.every((html) => html === '')) return '';
  const note = '<p class="note">√Σw² of the matrices at the last checkpoint, over the layers.</p>';
  return `<h2>Norms of the weights</h2>\n${note}\n${stacks.join('\n')}`;
}

function stackCharts(runs: readonly TrainingRun[], stack: Stack): string {
  const norms = runs.map(({ weights }) => weights?.norms.filter((norm) => norm.stack === stack) ?? []);
  const parts = [...new Set(norms.flat().map(({ part }) => part))];
  if (parts.length === 0) return '';
  const charts = parts.map((part) =>
    normChart(
      part,
      norms.map((own) => own.filter((norm) => norm.part === part).map(({ norm }) => norm)),
    ),
  );
  const title = stack === 'encoder' ? 'Encoder' : 'Decoder';
  return `<h3>${title}</h3><div class="small">${charts.join('\n')}</div>`;
}

/** @param runs the norm of each layer, by run; empty for a run without such a weight */
function normChart(part: string, runs: readonly (readonly number[])[]): string {
  const frame: Frame = { width: 200, height: 130, range: rangeOf(runs.flat()) };
  const layers = Math.max(...runs.map(({ length }) => length));
  const inner = frame.width - MARGIN.left - MARGIN.right;
  const xOf = (layer: number): number =>
    MARGIN.left + inner * (layers === 1 ? 0.5 : 0.04 + (0.92 * layer) / (layers - 1));
  const shown = runs.flatMap((norms, run) => (norms.length > 0 ? [run] : []));
  const heights = spreadLabels(
    shown.map((run) => yOf(frame, runs[run][runs[run].length - 1])),
    11,
    bottomOf(frame),
  );
  const lines = shown.map((run, place) => {
    const points = runs[run].map((norm, layer) => [fixed(xOf(layer)), fixed(yOf(frame, norm))]);
    const dots = points.map(
      ([x, y], layer) =>
        `<circle cx="${x}" cy="${y}" r="2"><title>run ${run + 1}, layer ${layer + 1}: ${compact(runs[run][layer])}</title></circle>`,
    );
    const path = points.map((point) => point.join(',')).join(' ');
    const label = `<text class="label" x="${fixed(xOf(points.length - 1) + 6)}" y="${fixed(heights[place] + 4)}">${run + 1}</text>`;
    return `<g class="run-${run % 8}"><polyline points="${path}" stroke-dasharray="${dashOf(run).join(' ')}"/>${dots.join('')}${label}</g>`;
  });
  const numbers = [...new Set([0, Math.floor((layers - 1) / 2), layers - 1])].map((layer) =>
    tick(xOf(layer), bottomOf(frame) + 16, layer + 1),
  );
  return figure(part, frame, `Norm of ${part} by layer`, [...numbers, ...lines]);
}
