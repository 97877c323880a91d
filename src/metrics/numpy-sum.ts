import { exact, type Rounding } from './rounding.js';

/** The exact mean, rounded once (as Python's `statistics.mean`), up to the error of a compensated sum (Neumaier 1974). */
export function preciseMean(values: ArrayLike<number>): number {
  let sum = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return (sum + lost) / values.length;
}

/** `np.mean` of an array of single or double precision: its pairwise sum, which rounds in an order of its own. */
export function numpyMean(values: Float64Array, single: boolean): number {
  const round = single ? Math.fround : exact;
  return round(pairwiseSum(values, round) / values.length);
}

/** numpy/_core/src/umath: blocks of up to 128 in eight partial sums, halves of what is longer. */
function pairwiseSum(values: Float64Array, round: Rounding): number {
  const { length } = values;
  if (length > 128) {
    const half = Math.floor(length / 2);
    const first = half - (half % 8);
    const [left, right] = [values.subarray(0, first), values.subarray(first)];
    return round(pairwiseSum(left, round) + pairwiseSum(right, round));
  }
  const whole = length - (length % 8);
  let sum = 0;
  if (whole > 0) {
    const partial = Array.from(values.subarray(0, 8));
    for (let i = 8; i < whole; i++) partial[i % 8] = round(partial[i % 8] + values[i]);
    const add = (a: number, b: number) => round(a + b);
    const [a, b, c, d, e, f, g, h] = partial;
    sum = add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h)));
  }
  for (let i = whole; i < length; i++) sum = round(sum + values[i]);
  return sum;
}
