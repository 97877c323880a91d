import type { Dependency, Stack } from './analysis-data.js';
import { layerTicks, STACK_TITLES, STACKS, siteName, subjectNames } from './analysis-names.js';
import { heatLegend, heatMap } from './heat-map.js';
import { escapeHtml } from './html.js';
import { number, table } from './html-table.js';
import { lineChart, type Series } from './line-chart.js';

const NOTE =
  '<p class="note">β² of each residual branch in the output of each sublayer: one row a sublayer, the first on top, and ' +
  'in it the embeddings (x₀) and every branch up to its own, at the right end; a row sums to 1. s self-attention, ' +
  'e encoder-attention, f feed-forward, with the number of the layer. “Expected” is what theory says of the scheme at ' +
  'initialisation, with branches of equal variance that are not correlated.</p>';

/** Heat maps of the dependency on residual branches. */
export function dependencySection(models: readonly Dependency[]): string {
  const names = subjectNames(models);
  return [
    '<h2>Dependency on residual branches</h2>',
    NOTE,
    heatLegend(),
    ...STACKS.map((stack) => stackMaps(models, names, stack)),
    "<h3>Share of a sublayer's own branch</h3>",
    `<div class="pair">${STACKS.map((stack) => ownShares(models, names, stack)).join('\n')}</div>`,
    shareTable(models, names),
  ].join('\n');
}

function stackMaps(models: readonly Dependency[], names: readonly string[], stack: Stack): string {
  const maps = models.map((model, i) => {
    const { rows } = stackOf(model, stack);
    return heatMap(
      names[i],
      rows,
      rows.map(({ shares }) => shares),
    );
  });
  const schemes = [...new Map(models.map((model) => [model.residual, model])).values()];
  const theory = schemes.map((model) => {
    const { rows, expected } = stackOf(model, stack);
    return heatMap(`Expected: ${model.residual}`, rows, expected);
  });
  // Checkpoints of one scheme stand beside their expectation, schemes above theirs.
  const rows = schemes.length === 1 ? [[...maps, ...theory]] : [maps, theory];
  const columns = Math.min(4, Math.max(3, rows[0].length));
  return [
    `<h3>${STACK_TITLES[stack]}</h3>`,
    ...rows.map((row) => `<div class="maps" style="--columns:${columns}">${row.join('\n')}</div>`),
  ].join('\n');
}

/** The share of each sublayer's own branch, measured and expected. */
function ownShares(models: readonly Dependency[], names: readonly string[], stack: Stack): string {
  const { rows: sites } = stackOf(models[0], stack);
  const last = (shares: readonly number[]): number => shares[shares.length - 1];
  const line = (
    name: string,
    style: number,
    rows: readonly (readonly number[])[],
    faint: boolean,
  ): Series => ({
    name,
    style,
    faint,
    points: rows.map((shares, i) => ({ x: i + 1, y: last(shares), place: siteName(sites[i]) })),
  });
  return lineChart({
    title: `${STACK_TITLES[stack]}; pale: expected`,
    description: `β² of the own branch of each of ${sites.length} sublayers of the ${stack}.`,
    x: { label: 'layer', ticks: layerTicks(sites) },
    y: { label: 'own share' },
    series: models.flatMap((model, i) => {
      const { rows, expected } = stackOf(model, stack);
      const first = models.findIndex(({ residual }) => residual === model.residual) === i;
      const measured = rows.map(({ shares }) => shares);
      return [line(names[i], i, measured, false), ...(first ? [line('', i, expected, true)] : [])];
    }),
  });
}

function shareTable(models: readonly Dependency[], names: readonly string[]): string {
  const rows = models.flatMap((model, i) =>
    STACKS.map((stack) => {
      const { rows, expected } = stackOf(model, stack);
      const sum = (shares: readonly (readonly number[])[]): number =>
        shares.reduce((total, own) => total + own[own.length - 1], 0);
      const own = sum(rows.map(({ shares }) => shares));
      const last = rows[rows.length - 1];
      return [
        `<th scope="row">${escapeHtml(names[i])}</th><td>${stack}</td>`,
        number(own / rows.length, threeDigits),
        number(own, threeDigits),
        number(sum(expected), threeDigits),
        number(last.shares[0], threeDigits),
        number(last.bias, threeDigits),
      ].join('');
    }),
  );
  const heads = [
    'Model',
    'Stack',
    'Mean own share',
    'Σ own shares',
    'expected',
    'x₀ at the end',
    'Biases at the end',
  ];
  return `<details><summary>In numbers</summary>${table(heads, rows, 2)}</details>`;
}

function stackOf({ stacks }: Dependency, wanted: Stack): Dependency['stacks'][number] {
  return stacks.find(({ stack }) => stack === wanted)!;
}

const threeDigits = (value: number): string => value.toFixed(3);
