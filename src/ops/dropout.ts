import { Purpose, RandomStream } from '../common/rng.js';
import { hasKernel, kernelDropout, type MaskKey, runFused } from './kernels.js';
import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

/**
 * Values of a dropout mask: 0 with probability `rate`, else 1 / (1 − rate), so that the mean stays.
 *
 * @param indexOf element i takes the random number of this index; the identity by default
 */
export function dropoutMask(
  size: number,
  rate: number,
  key: MaskKey,
  indexOf: (i: number) => number = (i) => i,
): Float32Array {
  const stream = new RandomStream({ ...key, purpose: Purpose.dropout });
  const threshold = Math.floor(rate * 2 ** 32);
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(size);
  for (let i = 0; i < size; i++) mask[i] = stream.at(indexOf(i)) >= threshold ? kept : 0;
  return mask;
}

/**
 * Dropout (inverted scaling) with a mask that is the same on every backend.
 *
 * @param rate in [0, 1)
 * @param key null switches dropout off
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, key: MaskKey | null): T {
  if (key === null || rate === 0) return x;
  if (hasKernel('Dropout')) return fusedDropout(x, rate, key);
  return tf.tidy(() => tf.mul(x, tf.tensor(dropoutMask(x.size, rate, key), x.shape, 'float32')));
}

function fusedDropout<T extends tf.Tensor>(x: T, rate: number, key: MaskKey): T {
  const attributes = { dropout: kernelDropout(rate, key) };
  return withGradient<T>([x], () => ({
    value: runFused('Dropout', { x }, attributes)[0] as T,
    gradient: (dy) => runFused('Dropout', { x: dy }, attributes),
  }));
}
