import type { AttentionMatrix } from '../../model/attention-matrix.js';
import type { Units } from './units.js';

export type AlignmentUnit = 'word' | 'piece';

/** What of a translation goes with what of its source. */
export interface Alignment {
  /** Words of the source, or its pieces, as far as the model has read it. */
  readonly source: readonly string[];
  /** Words of the translation, or its pieces. */
  readonly target: readonly string[];
  /** Places in them, from 0, by the place in the target. */
  readonly links: readonly Link[];
  /**
   * How much each word or piece of the target attends to each of the source: a row for each of the target and one for
   * `</s>`, in it a number for each of the source and one for `</s>`; a row sums to 1.
   */
  readonly weights: readonly (readonly number[])[];
}

export type Link = readonly [source: number, target: number];

/**
 * The source token that each target token attends to most, neither being `</s>`, as fairseq's extract_hard_alignment has
 * it; −1 where the source has no token.
 */
export function strongest({ rows, columns, weights }: AttentionMatrix): number[] {
  return Array.from({ length: rows - 1 }, (_, row) => {
    let best = -1;
    for (let column = 0; column < columns - 1; column++) {
      const at = row * columns;
      if (best === -1 || weights[at + column] > weights[at + best]) best = column;
    }
    return best;
  });
}

/**
 * The alignment that a matrix of attention comes to. Words are linked where any of their pieces are; a word attends by the
 * mean of its pieces to the sum of those of another.
 */
export function alignmentOf(
  matrix: AttentionMatrix,
  best: readonly number[],
  source: Units,
  target: Units,
  unit: AlignmentUnit,
): Alignment {
  const [rows, columns] = [target, source].map((units) => placesOf(units, unit));
  const names = ({ pieces, words }: Units): readonly string[] => (unit === 'word' ? words : pieces);
  const pairs = best.map((column, row): Link => [columns[column] ?? -1, rows[row]]);
  const links = new Map(pairs.filter(([from]) => from !== -1).map((link) => [link.join('-'), link]));
  return {
    source: names(source),
    target: names(target),
    links: [...links.values()].sort((a, b) => a[1] - b[1] || a[0] - b[0]),
    weights: sumOver(matrix, rows, columns, names(target).length, names(source).length),
  };
}

/** Where each token stands, and `</s>` behind all of them. */
function placesOf({ pieces, words, wordOf }: Units, unit: AlignmentUnit): number[] {
  return unit === 'word' ? [...wordOf, words.length] : [...pieces.keys(), pieces.length];
}

function sumOver(
  matrix: AttentionMatrix,
  rows: readonly number[],
  columns: readonly number[],
  height: number,
  width: number,
): number[][] {
  const sums = Array.from({ length: height + 1 }, () => new Array<number>(width + 1).fill(0));
  const counts = new Array<number>(height + 1).fill(0);
  for (const row of rows) counts[row]++;
  rows.forEach((row, i) => {
    columns.forEach((column, j) => {
      sums[row][column] += matrix.weights[i * matrix.columns + j] / counts[row];
    });
  });
  return sums;
}

/** `0-0 1-2`: source and target, from 0. */
export const pharaoh = ({ links }: Alignment): string => links.map((link) => link.join('-')).join(' ');

/** Four decimals: what an attention is worth. */
export const roundedWeights = ({ weights }: Alignment): number[][] =>
  weights.map((row) => row.map((weight) => Math.round(weight * 1e4) / 1e4));
