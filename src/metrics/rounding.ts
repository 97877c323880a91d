/**
 * Rounds each result of an operation. Python's sacreBLEU keeps the statistics of resamples in single precision, and numpy 2
 * then computes in it; equal intervals need the same roundings (Math.fround), everything else none.
 */
export type Rounding = (value: number) => number;

export const exact: Rounding = (value) => value;
