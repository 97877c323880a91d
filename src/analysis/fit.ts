import { mean } from '../common/statistics.js';

/** Fits by least squares. */

/** A line through points by least squares: y ≈ offset + slope·x, and the share of the variance of y that it explains. */
export interface Line {
  readonly slope: number;
  readonly offset: number;
  readonly explained: number;
}

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
  const explained = varianceY === 0 ? 1 : covariance ** 2 / (varianceX * varianceY);
  return { slope, offset: meanY - slope * meanX, explained };
}

/** The exponent of y ∝ x^exponent; null where a y has no logarithm. */
export function fitExponent(xs: readonly number[], ys: readonly number[]): number | null {
  if (!ys.every((y) => y > 0 && y < Infinity)) return null;
  return fitLine(xs.map(Math.log), ys.map(Math.log)).slope;
}
