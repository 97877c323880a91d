import { runFused } from '../../ops/kernels.js';
import { tf } from '../../ops/tf.js';
import type { NativeBackend } from './backend.js';

/** What the start of a tensor is a multiple of, in bytes: a vector, and a line of the caches. */
const ALIGNMENT = 64;

/** A tensor in memory that threads share: on each of them one can be made of its values, and nothing is copied. */
export function shared(tensor: tf.Tensor): tf.Tensor {
  const { addon } = tf.backend() as NativeBackend;
  const buffer = new SharedArrayBuffer(4 * tensor.size + ALIGNMENT);
  const start = addon.align(new Uint8Array(buffer), ALIGNMENT);
  const copy = tf.tensor(new Float32Array(buffer, start, tensor.size), [1, tensor.size]);
  const rows = tf.reshape(tensor, copy.shape);
  runFused('StoreRows', { rows, stored: copy }, { column: 0, first: 0, from: null });
  const shaped = tf.reshape(copy, tensor.shape);
  tf.dispose([copy, rows]);
  return shaped;
}
