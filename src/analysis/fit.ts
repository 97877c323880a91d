import { mean } from '../common/statistics.js';

/** Fits by least squares. */

/** A line through points by least squares: y ≈ offset + slope·x. */
export interface Line {
  readonly slope: number;
  readonly offset: number;
  /**
   * R², the share of the variance of y that the line explains; null where there is nothing to explain: a line goes through
   * any two points.
   */
  readonly explained: number | null;
}

/** What a line has to choose: its slope and its offset. */
const PARAMETERS = 2;

/** @param xs at least two, not all equal */
export function fitLine(xs: readonly number[], ys: readonly number[]): Line {
  const [meanX, meanY] = [mean(xs), mean(ys)];
  let [covariance, varianceX, varianceY] = [0, 0, 0];
  xs.forEach((x, i) => {
    covariance += (x - meanX) * (ys[i] - meanY);
    varianceX += (x - meanX) ** 2;
    varianceY += (ys[i] - meanY) ** 2;
  });
  const slope = covariance / varianceX;
  const tells = new Set(xs).size > PARAMETERS && varianceY > 0;
  const explained = tells ? covariance ** 2 / (varianceX * varianceY) : null;
  return { slope, offset: meanY - slope * meanX, explained };
}

/** The exponent of y ∝ x^exponent; null where a y has no logarithm. */
export function fitExponent(xs: readonly number[], ys: readonly number[]): number | null {
  if (!ys.every((y) => y > 0 && y < Infinity)) return null;
  return fitLine(xs.map(Math.log), ys.map(Math.log)).slope;
}
