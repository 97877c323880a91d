/**
 * What matrix products are computed in. `bfloat16`: their operands are rounded to it, their sums are float32; all else stays
 * float32. One definition for every backend, see docs/precision.md.
 */
export type Precision = 'float32' | 'bfloat16';

/** What products with a prepared weight can be computed in: `int8`, with exact sums, is for translating alone. */
export type PreparedPrecision = Precision | 'int8';
