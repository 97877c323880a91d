/**
 * What matrix products are computed in. `bfloat16`: their operands are rounded to it, their sums are float32; all else stays
 * float32. `int8`: rows of both operands have a scale each, sums are exact; for products with a prepared weight alone. One
 * definition for every backend, see docs/precision.md.
 */
export const PRECISIONS = ['float32', 'bfloat16', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];
