import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

/**
 * How packed rows lie in a padded [B, L] grid. The maps are permutations but for the padding, so the gradient of
 * moving in one direction is the move in the other, without scattering.
 */
export interface Layout {
  sentences: number;
  /** Longest sentence. */
  length: number;
  rows: number;
  /** For each cell of the grid its packed row, or `rows` where there is none; [B · L]. */
  toGrid: Int32Array;
  /** For each packed row its cell; [T]. */
  toPacked: Int32Array;
}

const layouts = new WeakMap<Int32Array, Layout>();

/** The layout of sentences given by their offsets [B + 1]; kept as long as the offsets are. */
export function layoutOf(offsets: Int32Array): Layout {
  let layout = layouts.get(offsets);
  if (layout === undefined) {
    layout = computeLayout(offsets);
    layouts.set(offsets, layout);
  }
  return layout;
}

function computeLayout(offsets: Int32Array): Layout {
  const sentences = offsets.length - 1;
  const rows = offsets[sentences];
  let length = 0;
  for (let i = 0; i < sentences; i++) length = Math.max(length, offsets[i + 1] - offsets[i]);
  const toGrid = new Int32Array(sentences * length).fill(rows);
  const toPacked = new Int32Array(rows);
  for (let i = 0; i < sentences; i++) {
    for (let row = offsets[i]; row < offsets[i + 1]; row++) {
      const cell = i * length + row - offsets[i];
      toGrid[cell] = row;
      toPacked[row] = cell;
    }
  }
  return { sentences, length, rows, toGrid, toPacked };
}

const gather = (x: tf.Tensor2D, rows: Int32Array): tf.Tensor2D => tf.gather(x, tf.tensor1d(rows, 'int32'));

/** Rows of x, and zeros where the index is the number of rows. */
function gatherOrZero(x: tf.Tensor2D, rows: Int32Array): tf.Tensor2D {
  return gather(tf.concat([x, tf.zeros<tf.Rank.R2>([1, x.shape[1]])], 0), rows);
}

/** [T, d] → [B · L, d], zeros in the padding. */
export function padRows(x: tf.Tensor2D, layout: Layout): tf.Tensor2D {
  if (layout.rows === layout.toGrid.length) return x;
  return withGradient<tf.Tensor2D>([x], () => ({
    value: gatherOrZero(x, layout.toGrid),
    gradient: (dy) => [gather(dy, layout.toPacked)],
  }));
}

/** [B · L, d] → [T, d], the padding dropped. */
export function unpadRows(x: tf.Tensor2D, layout: Layout): tf.Tensor2D {
  if (layout.rows === layout.toGrid.length) return x;
  return withGradient<tf.Tensor2D>([x], () => ({
    value: gather(x, layout.toPacked),
    gradient: (dy) => [gatherOrZero(dy, layout.toGrid)],
  }));
}
