/*
 * e^x for x ≤ 0, in a fraction of the time of Math.exp and to 4e-10 of it, which is far more than logarithms in 32 bits are
 * good for: 2^k times a polynomial, for the nearest whole k and what is left of x / ln 2. The same bits on every machine.
 */

/** Taylor coefficients of 2^f: (ln 2)^n / n!. */
const [C1, C2, C3, C4, C5, C6, C7, C8] = coefficients(8);

/** Where doubles end: 2^k is 0 below. */
const LEAST = -1080;
const POWERS = Float64Array.from({ length: 1 - LEAST }, (_, i) => 2 ** (i + LEAST));

function coefficients(count: number): number[] {
  const found: number[] = [];
  for (let n = 1, c = Math.LN2; n <= count; n++, c *= Math.LN2 / n) found.push(c);
  return found;
}

/** @param x at most 0 */
export function exponential(x: number): number {
  const t = x * Math.LOG2E;
  if (!(t > LEAST)) return 0; // −∞, too
  const k = Math.floor(t + 0.5);
  const f = t - k;
  const part = 1 + f * (C1 + f * (C2 + f * (C3 + f * (C4 + f * (C5 + f * (C6 + f * (C7 + f * C8)))))));
  return POWERS[k - LEAST] * part;
}
