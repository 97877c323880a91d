import { tf } from '../../ops/tf.js';
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
  /** Whether its buffer is filled in only when someone asks for it: see part-sums.ts. */
  unsummed?: boolean;
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

const STORED = Symbol('stored');

/** What tfjs names a tensor's data by: any object. */
interface DataId {
  [STORED]?: Stored;
}

/**
 * The tensors of a backend, as a property of the object that tfjs names each by. tfjs's own `DataStorage` has them in a
 * WeakMap, which every collection of young objects has to go through: a sixth of the JavaScript of an update.
 */
export class TensorStorage {
  private readonly backend: tf.KernelBackend;
  private count = 0;

  constructor(backend: tf.KernelBackend) {
    this.backend = backend;
  }

  /** What there is of a tensor, which comes here if another backend has it. */
  get(dataId: DataId): Stored {
    if (dataId[STORED] === undefined) tf.engine().moveData(this.backend, dataId);
    return dataId[STORED]!;
  }

  has(dataId: DataId): boolean {
    return dataId[STORED] !== undefined;
  }

  /** @returns the name of a new tensor */
  add(stored: Stored): object {
    const dataId: DataId = { [STORED]: stored };
    this.count++;
    return dataId;
  }

  set(dataId: DataId, stored: Stored): void {
    dataId[STORED] = stored;
    this.count++;
  }

  delete(dataId: DataId): void {
    dataId[STORED] = undefined;
    this.count--;
  }

  numDataIds(): number {
    return this.count;
  }
}

/** Numbers as a tensor of the type holds them. */
function typed(values: ArrayLike<number>, dtype: 'float32' | 'int32' | 'bool'): Values {
  if (dtype === 'bool') return Uint8Array.from(values);
  return dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
}

/** The same from the memory of the device, where every element has four bytes. */
export function valuesOf(memory: ArrayBuffer, dtype: tf.DataType): Values {
  if (dtype === 'float32') return new Float32Array(memory);
  const ints = new Int32Array(memory);
  return dtype === 'bool' ? Uint8Array.from(ints) : ints;
}

/** A tensor of numbers that are not on the device yet. */
export function given(values: Values, dtype: tf.DataType, refCount: number): Stored {
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool')
    throw new TypeError(`expected numbers, found ${dtype}`);
  const own =
    values instanceof Float32Array || values instanceof Int32Array ? values.slice() : typed(values, dtype);
  return { dtype, size: own.length, refCount, values: own, buffer: null };
}
