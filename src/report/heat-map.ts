import type { Site } from './analysis-data.js';
import { siteName } from './analysis-names.js';
import { fixed, tick } from './figure.js';
import { svgFigure } from './line-chart.js';
import { compact } from './training-view.js';

const SIDE = 300;
const MARGIN = { left: 34, right: 8, top: 6, bottom: 32 };
/** With more sublayers than this, letters do not fit. */
const CROWD = 26;
/** Smaller shares are not told from none. */
const LEAST = 0.0005;

/** How strong the colour of a share is: by its square root, which is |β|. */
const strength = (share: number): number => Math.sqrt(Math.min(1, Math.max(0, share)));

/**
 * Shares of the residual branches in the output of each sublayer: a row for each sublayer, from the first on top, a
 * column for the embeddings and for each branch.
 *
 * @param rows each one longer than the one before
 */
export function heatMap(title: string, sites: readonly Site[], rows: readonly (readonly number[])[]): string {
  const count = rows.length;
  const [width, height] = [
    (SIDE - MARGIN.left - MARGIN.right) / (count + 1),
    (SIDE - MARGIN.top - MARGIN.bottom) / count,
  ];
  const xOf = (column: number): number => MARGIN.left + column * width;
  const yOf = (row: number): number => MARGIN.top + row * height;
  const cells = rows.flatMap((shares, row) =>
    shares.map((share, column) => {
      if (!(share >= LEAST)) return '';
      const from = column === 0 ? 'embeddings' : siteName(sites[column - 1]);
      return (
        `<rect class="cell" x="${fixed(xOf(column))}" y="${fixed(yOf(row))}" width="${fixed(width)}" height="${fixed(height)}" ` +
        `fill-opacity="${strength(share).toFixed(3)}"><title>${siteName(sites[row])} on ${from}: ${compact(share)}</title></rect>`
      );
    }),
  );
  const own = rows.map((shares) => shares[shares.length - 1]);
  const mean = own.reduce((sum, share) => sum + share, 0) / count;
  const description =
    `${count} sublayers. On average a share of ${compact(Number(mean.toPrecision(3)))} is of the sublayer's own branch; ` +
    `of the output of the last, ${compact(Number(rows[count - 1][0].toPrecision(3)))} is of the embeddings.`;
  return svgFigure(
    title,
    description,
    [SIDE, SIDE],
    [outline(count, width, height), ...cells, ...marks(sites, xOf, yOf, height)],
  );
}

/** The lower triangle that holds all cells. */
function outline(count: number, width: number, height: number): string {
  const steps = ` h${width.toFixed(3)} v${height.toFixed(3)}`.repeat(count);
  return `<path class="outline" d="M${MARGIN.left} ${MARGIN.top} h${width.toFixed(3)}${steps} H${MARGIN.left} Z"/>`;
}

/** Letters of the sublayers, and a number where a layer begins, on the left and below. */
function marks(
  sites: readonly Site[],
  xOf: (column: number) => number,
  yOf: (row: number) => number,
  height: number,
): string[] {
  const bottom = SIDE - MARGIN.bottom;
  const crowded = sites.length > CROWD;
  const layers = Math.max(...sites.map(({ layer }) => layer)) + 1;
  const every = layers > 60 ? 20 : layers > 24 ? 6 : layers > 12 ? 3 : 1;
  const zero = tick(xOf(0.5), bottom + 13, 'x₀');
  const labels = sites.flatMap(({ layer, sublayer }, i) => {
    const begins = i === 0 || sites[i - 1].layer !== layer;
    const number = begins && layer % every === 0 ? String(layer + 1) : '';
    return [
      ...(crowded
        ? []
        : [
            tick(xOf(i + 1.5), bottom + 13, sublayer[0]),
            tick(MARGIN.left - 5, yOf(i + 0.5) + 4, sublayer[0], 'end'),
          ]),
      number === '' ? '' : tick(xOf(i + 1.5), bottom + 27, number),
      number === '' ? '' : tick(MARGIN.left - (crowded ? 5 : 18), yOf(i) + height / 2 + 4, number, 'end'),
    ];
  });
  return [zero, ...labels];
}

/** A bar with the colours of some shares. */
export function heatLegend(): string {
  const steps = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1];
  const boxes = steps.map(
    (share, i) =>
      `<rect class="cell outlined" x="${i * 44 + 2}" y="2" width="44" height="12" fill-opacity="${strength(share).toFixed(3)}"/>` +
      tick(i * 44 + 24, 27, share),
  );
  return `<svg class="legend" viewBox="0 0 ${steps.length * 44 + 4} 32" role="img"><title>Colours of the shares</title>${boxes.join('')}</svg>`;
}
