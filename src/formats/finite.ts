import { DamageError } from '../common/errors.js';

/** @throws DamageError naming the first number of a tensor that is NaN or infinite */
export function checkFinite(data: Float32Array, name: string, where: string): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new DamageError({
      problem: `expected finite weights, found ${data[i]} in '${name}' (value ${i})`,
      where,
      hint: 'Use another checkpoint: the training had diverged, or the file is damaged.',
    });
  }
}
