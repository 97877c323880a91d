/**
 * A matrix of int8: element (i, j) stands for values[i · columns + j] · scales[i]. What is rounded how is the same on every
 * backend, see docs/precision.md.
 */
export interface Int8Matrix {
  shape: readonly [rows: number, columns: number];
  /** From −127 to 127. */
  values: Int8Array;
  /** Of each row. */
  scales: Float32Array;
}

/** Rows whose largest magnitude is below this count as zeros. */
const LEAST = 2 ** -100;
/** 1.5 · 2^52: a number of some hundreds that is added to it is rounded to nearest, ties to even. */
const MAGIC = 6755399441055744;

/** Each row divided by its scale, its largest magnitude / 127, and rounded. @param data finite */
export function toInt8(data: Float32Array, shape: readonly [number, number]): Int8Matrix {
  const [rows, columns] = shape;
  const values = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const [first, end] = [row * columns, (row + 1) * columns];
    let most = 0;
    for (let i = first; i < end; i++) most = Math.max(most, Math.abs(data[i]));
    if (most < LEAST) continue;
    scales[row] = most / 127;
    const inverse = Math.fround(127 / most);
    for (let i = first; i < end; i++) values[i] = Math.fround(data[i] * inverse) + MAGIC - MAGIC;
  }
  return { shape, values, scales };
}

/** What a matrix of int8 stands for. */
export function fromInt8({ shape: [rows, columns], values, scales }: Int8Matrix): Float32Array {
  const data = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let i = row * columns; i < (row + 1) * columns; i++) data[i] = values[i] * scales[row];
  return data;
}

/** Some rows that follow one another; the memory is shared. */
export function rowsOfInt8(
  { shape: [, columns], values, scales }: Int8Matrix,
  first: number,
  count: number,
): Int8Matrix {
  return {
    shape: [count, columns],
    values: values.subarray(first * columns, (first + count) * columns),
    scales: scales.subarray(first, first + count),
  };
}
