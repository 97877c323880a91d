import { hasKernel, runFused } from './kernels.js';
import { tf } from './tf.js';

/** Lists of columns, one after another: list i is `columns[offsets[i] … offsets[i + 1])`. */
export interface ColumnLists {
  columns: Int32Array;
  offsets: Int32Array;
}

/**
 * From each row the columns of its list, in the order of the list; −∞ where that is shorter than `width`. The product
 * that rows of several lists have in common is computed once, and each row goes on with what is its own.
 *
 * @param x [N, S]
 * @param rows which list each row has, [N]
 * @returns [N, width]
 */
export function pickColumns(
  x: tf.Tensor2D,
  lists: ColumnLists,
  rows: Int32Array,
  width: number,
): tf.Tensor2D {
  if (!hasKernel('PickColumns')) return pickColumnsReference(x, lists, rows, width);
  return runFused('PickColumns', { x }, { ...lists, rows, width })[0] as tf.Tensor2D;
}

/** The same with a gather of single numbers: the oracle of the fused one. */
export function pickColumnsReference(
  x: tf.Tensor2D,
  { columns, offsets }: ColumnLists,
  rows: Int32Array,
  width: number,
): tf.Tensor2D {
  const [, size] = x.shape;
  const places = new Int32Array(rows.length * width).fill(x.size); // of the −∞
  rows.forEach((list, row) => {
    for (let j = 0; j < offsets[list + 1] - offsets[list]; j++)
      places[row * width + j] = row * size + columns[offsets[list] + j];
  });
  return tf.tidy(() => {
    const values = tf.concat([tf.reshape(x, [x.size]), tf.tensor1d([Number.NEGATIVE_INFINITY])]);
    return tf.reshape(tf.gather(values, tf.tensor1d(places, 'int32')), [rows.length, width]);
  });
}
