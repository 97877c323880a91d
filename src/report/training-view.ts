/**
 * How the training report computes what it draws. These functions run in the page as well: their source text is
 * part of its script, so each uses nothing but its arguments and the others of this file.
 */
import type { Clock, Curve } from './training-curves.js';

export type Axis = 'updates' | 'epochs' | 'hours';

/** Index of the value nearest to x in an ascending list; -1 in an empty one. */
export function nearestIndex(xs: readonly number[], x: number): number {
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle;
    else high = middle;
  }
  return high > low && Math.abs(xs[high] - x) < Math.abs(xs[low] - x) ? high : Math.min(low, xs.length - 1);
}

/** The value at x of a line through points; beyond its ends, that of the last two. */
export function interpolate(xs: readonly number[], ys: readonly number[], x: number): number {
  if (xs.length < 2) return ys[0] ?? 0;
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  return ys[low] + ((ys[high] - ys[low]) * (x - xs[low])) / (xs[high] - xs[low]);
}

/** Where the points of a curve lie on an axis. */
export function positions({ updates }: Curve, clock: Clock, axis: Axis): readonly number[] {
  return axis === 'updates' ? updates : updates.map((u) => interpolate(clock.updates, clock[axis], u));
}

/**
 * Exponential moving average without the bias towards zero of its beginning. A value counts by how far it is from
 * the one before: curves with points near together and far apart are smoothed alike.
 *
 * @param stretch over which the past fades to 1/e, in units of x; above 0
 */
export function smooth({ updates, values }: Curve, stretch: number): number[] {
  let [sum, total, before] = [0, 0, 0];
  return values.map((value, i) => {
    const fresh = -Math.expm1(-Math.max(updates[i] - before, 1e-6) / stretch);
    sum += fresh * (value - sum);
    total += fresh * (1 - total);
    before = updates[i];
    return sum / total;
  });
}

/** A number of any size in a few characters. */
export function compact(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e-4) return value.toExponential(2).replace(/\.?0*e/, 'e');
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(4))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(4))}k`;
  return String(Number(value.toPrecision(4)));
}

/**
 * Moves labels apart until none overlaps another.
 *
 * @param tops where they should stand
 * @param height of one
 * @param bottom the lowest place
 */
export function spreadLabels(tops: readonly number[], height: number, bottom: number): number[] {
  const order = tops.map((_, i) => i).sort((a, b) => tops[a] - tops[b]);
  const placed = tops.slice();
  order.forEach((i, rank) => {
    if (rank > 0) placed[i] = Math.max(placed[i], placed[order[rank - 1]] + height);
  });
  let limit = bottom;
  for (const i of order.reverse()) {
    placed[i] = Math.min(placed[i], limit);
    limit = placed[i] - height;
  }
  return placed;
}
