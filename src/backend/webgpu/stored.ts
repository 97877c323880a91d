import type { tf } from '../../ops/tf.js';
import type { Place } from './slabs.js';

export type Values = Float32Array | Int32Array | Uint8Array;

/** A buffer of several tensors, which goes back to the pool with the last of them. */
export interface Shared {
  buffer: number;
  bytes: number;
  /** Tensors that there are. */
  live: number;
  /** Whether all are read when one is, and what was read. */
  readTogether: boolean;
  memory: Promise<ArrayBuffer> | null;
}

/** A tensor: numbers that were given and not yet sent to the device, or a buffer there, of its own or part of another. */
export interface Stored {
  dtype: tf.DataType;
  size: number;
  /** Whether its numbers are of float16 on the device; to all who read it, they are of float32. */
  half?: boolean;
  refCount: number;
  values: Values | null;
  buffer: number | null;
  /** Where it lies in the memory of a list. */
  place?: Place;
  /** The tensors whose memory it is part of. */
  of?: readonly object[];
  /** The buffer that it shares with others, and where it starts there, in its elements. */
  shared?: Shared;
  start?: number;
}

/** Numbers as a tensor of the type holds them. */
export function typed(values: ArrayLike<number>, dtype: 'float32' | 'int32' | 'bool'): Values {
  if (dtype === 'bool') return Uint8Array.from(values);
  return dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
}

/** The same from the memory of the device, where every element has four bytes. */
export function valuesOf(memory: ArrayBuffer, dtype: tf.DataType): Values {
  if (dtype === 'float32') return new Float32Array(memory);
  const ints = new Int32Array(memory);
  return dtype === 'bool' ? Uint8Array.from(ints) : ints;
}
