import type { tf } from '../ops/tf.js';

/** Population variance of all elements, in float64. */
export async function variance(x: tf.Tensor): Promise<number> {
  const values = await x.data();
  let mean = 0;
  for (const value of values) mean += value;
  mean /= values.length;
  let sum = 0;
  for (const value of values) sum += (value - mean) ** 2;
  return sum / values.length;
}
