/**
 * What matrix products of a training are computed in. `bfloat16`, `float16`: their operands are rounded to it, their sums
 * are float32. In `float16` activations are stored so, too; all else stays float32. One definition for every backend, see
 * docs/precision.md.
 */
export const TRAINING_PRECISIONS = ['float32', 'bfloat16', 'float16'] as const;

/** The same for translating. `int8`: rows of both operands have a scale each, sums are exact; for prepared weights alone. */
export const DECODING_PRECISIONS = ['float32', 'bfloat16', 'int8'] as const;

export type DecodingPrecision = (typeof DECODING_PRECISIONS)[number];
export type Precision = (typeof TRAINING_PRECISIONS)[number] | DecodingPrecision;
