/** Statistics of the rows of a matrix, [T · width], as plain numbers. */

/** That of the model's layer normalisation. */
export const LAYER_NORM_EPSILON = 1e-5;

/** Mean and population variance of a row. */
export function statisticsOf(
  values: Float32Array,
  row: number,
  width: number,
): { mean: number; variance: number } {
  const start = row * width;
  let [sum, squares] = [0, 0];
  for (let i = start; i < start + width; i++) sum += values[i];
  const mean = sum / width;
  for (let i = start; i < start + width; i++) squares += (values[i] - mean) ** 2;
  return { mean, variance: squares / width };
}

/** Population variance over the components of a row, averaged over the rows. */
export function varianceOfRows(values: Float32Array, width: number): number {
  const rows = values.length / width;
  let sum = 0;
  for (let row = 0; row < rows; row++) sum += statisticsOf(values, row, width).variance;
  return sum / rows;
}

/** Each row brought to mean 0 and variance 1: what the outputs of any scheme are compared in. */
export function normalizedRows(values: Float32Array, width: number): Float32Array {
  const normalized = new Float32Array(values.length);
  for (let row = 0; row < values.length / width; row++) {
    const { mean, variance } = statisticsOf(values, row, width);
    const scale = variance === 0 ? 0 : 1 / Math.sqrt(variance);
    for (let i = row * width; i < (row + 1) * width; i++) normalized[i] = (values[i] - mean) * scale;
  }
  return normalized;
}

/** |a − b|² for each element. */
export function meanSquaredDifference(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum / a.length;
}
