import type { GradientNorms, MatrixNorms, Stack } from './analysis-data.js';
import { layerTicks, STACK_TITLES, STACKS, siteName, subjectNames } from './analysis-names.js';
import { escapeHtml } from './html.js';
import { number, table } from './html-table.js';
import { lineChart } from './line-chart.js';

type Quantity = 'gradient' | 'update';

const TITLES: Readonly<Record<Quantity, string>> = {
  gradient: 'Gradient',
  update: 'Update by the optimizer, over the learning rate',
};

/** Gradients of sublayers and matrices, with the updates made of them beside them. */
export function gradientSection(models: readonly GradientNorms[]): string {
  const names = subjectNames(models);
  return [
    '<h2>Gradients before and after the optimizer</h2>',
    '<h3>Gradient of the loss by the output of each sublayer</h3>',
    `<div class="pair">${STACKS.map((stack) => hiddenChart(models, names, stack)).join('\n')}</div>`,
    ...models.map((model, i) => matrixCharts(model, names[i])),
    '<h3>Largest over smallest, among the matrices of a stack</h3>',
    '<p class="note">Gradients that differ much from matrix to matrix are unbalanced; what counts for training is the ' +
      'update.</p>',
    spreadTable(models, names),
  ].join('\n');
}

function hiddenChart(models: readonly GradientNorms[], names: readonly string[], stack: Stack): string {
  const hidden = models.map((model) => model.hidden.filter((site) => site.stack === stack));
  return lineChart({
    title: `${STACK_TITLES[stack]}: norm, before the first update`,
    description: `Norm of the gradient by the output of each sublayer of the ${stack}, for ${names.join(', ')}.`,
    x: { label: 'layer', ticks: layerTicks(hidden[0]) },
    y: { label: 'norm', log: true },
    series: hidden.map((sites, style) => ({
      name: names[style],
      style,
      points: sites.map((site, i) => ({ x: i + 1, y: site.norm, place: siteName(site) })),
    })),
  });
}

/** Gradients on the left and updates on the right, with axes that span as many powers of ten. */
function matrixCharts(model: GradientNorms, name: string): string {
  const charts = STACKS.flatMap((stack) => {
    const own = model.matrices.filter((matrix) => matrix.stack === stack);
    const decades = Math.max(
      ...(['gradient', 'update'] as const).map((quantity) => decadesOf(own, quantity)),
    );
    return (['gradient', 'update'] as const).map((quantity) => matrixChart(own, stack, quantity, decades));
  });
  const updates = model.steps === 1 ? 'one update' : `${model.steps} updates`;
  return [
    `<h3>${escapeHtml(name)}: root mean square of the elements of each matrix, over ${updates}</h3>`,
    `<div class="pair">${charts.join('\n')}</div>`,
  ].join('\n');
}

function decadesOf(matrices: readonly MatrixNorms[], quantity: Quantity): number {
  const values = matrices.map((matrix) => matrix[quantity]).filter((value) => value > 0);
  return values.length === 0 ? 1 : Math.max(1, Math.log10(Math.max(...values) / Math.min(...values)) * 1.15);
}

function matrixChart(
  matrices: readonly MatrixNorms[],
  stack: Stack,
  quantity: Quantity,
  decades: number,
): string {
  const parts = [...new Set(matrices.map(({ part }) => part))];
  const logs = matrices.map((matrix) => Math.log10(matrix[quantity])).filter(Number.isFinite);
  const middle = (Math.min(...logs) + Math.max(...logs)) / 2;
  const layers = Math.max(...matrices.map(({ layer }) => layer)) + 1;
  return lineChart({
    title: `${TITLES[quantity]}, ${stack}`,
    description: `${TITLES[quantity]} of each matrix of the ${stack} by layer.`,
    x: { label: 'layer', ticks: layers > 12 ? undefined : Array.from({ length: layers }, (_, i) => i + 1) },
    y: { label: 'root mean square', log: true },
    range: [10 ** (middle - decades / 2), 10 ** (middle + decades / 2)],
    series: parts.map((part, style) => ({
      name: shortName(part),
      style,
      points: matrices
        .filter((matrix) => matrix.part === part)
        .map((matrix) => ({ x: matrix.layer + 1, y: matrix[quantity] })),
    })),
  });
}

/** `self-attention q, k, v` → `self q, k, v`: what fits beside a line. */
function shortName(part: string): string {
  return part.replace('-attention', '').replace('feed-forward ', '');
}

function spreadTable(models: readonly GradientNorms[], names: readonly string[]): string {
  const rows = models.flatMap((model, i) =>
    STACKS.map((stack) => {
      const own = model.matrices.filter((matrix) => matrix.stack === stack);
      return [
        `<th scope="row">${escapeHtml(names[i])}</th><td>${stack}</td>`,
        ...(['gradient', 'update'] as const).map((quantity) =>
          number(ratioOf(own.map((matrix) => matrix[quantity])), (ratio) => ratio.toFixed(2)),
        ),
      ].join('');
    }),
  );
  return table(['Model', 'Stack', 'Gradients', 'Updates'], rows, 2);
}

/** Largest over smallest; null where one is 0. */
function ratioOf(values: readonly number[]): number | null {
  const ratio = Math.max(...values) / Math.min(...values);
  return Number.isFinite(ratio) ? ratio : null;
}
