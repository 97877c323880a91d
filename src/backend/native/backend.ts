import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { tf } from '../../ops/tf.js';
import { Arena } from './arena.js';
import type { Addon } from './binding.js';

/** Values of a tensor where they are numbers. */
type Values = Float32Array | Int32Array | Uint8Array;

const isShared = ({ buffer }: ArrayBufferView): boolean => buffer instanceof SharedArrayBuffer;

/**
 * Storage of the native engine: tfjs's own CPU backend, whose JavaScript kernels stand in for what the engine has no
 * kernel for, with the values of tensors in the memory of an arena. A tensor owns its block: nothing else points at
 * it, so it can be written in place, and goes back when the last reference is dropped.
 */
export class NativeBackend extends MathBackendCPU {
  readonly addon: Addon;
  readonly arena: Arena;
  private stored = 0;

  constructor(addon: Addon) {
    super();
    this.addon = addon;
    this.arena = new Arena(addon);
  }

  /** Takes a copy of the values; those in memory that threads share are read where they are. */
  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    if (dtype === 'string') return super.write(values, shape, dtype);
    if (isShared(values as Values)) return this.store(shape, dtype, values as Values).dataId;
    return this.store(shape, dtype, this.copyOf(values as Values)).dataId;
  }

  /** Takes values that a kernel has just made; those that are a view of another tensor's are copied. */
  override makeTensorInfo(
    shape: number[],
    dtype: tf.DataType,
    values?: tf.backend_util.BackendValues | string[],
  ): tf.TensorInfo {
    if (dtype === 'string') return super.makeTensorInfo(shape, dtype, values);
    const made = values as Values;
    const shared = ArrayBuffer.isView(made) && this.arena.owns(made);
    return this.store(shape, dtype, shared ? this.copyOf(made) : made);
  }

  override disposeData(dataId: object, force = false): boolean {
    const values = this.data.has(dataId) ? this.data.get(dataId).values : undefined;
    const gone = super.disposeData(dataId, force);
    if (gone && ArrayBuffer.isView(values)) this.arena.release(values);
    return gone;
  }

  /** The values are the caller's: they stay when the tensor is disposed of, as those in shared memory do anyway. */
  override readSync(dataId: object): tf.backend_util.BackendValues {
    const values = super.readSync(dataId);
    return ArrayBuffer.isView(values) && !isShared(values) ? (values as Float32Array).slice() : values;
  }

  /** The memory of a tensor's floats. */
  floats(tensor: tf.TensorInfo): Float32Array {
    const { values } = this.data.get(tensor.dataId);
    if (values instanceof Float32Array) return values;
    throw new TypeError(`expected a float32 tensor, found ${tensor.dtype}`);
  }

  /** A tensor for a kernel to fill in. */
  output(shape: number[]): { info: tf.TensorInfo; values: Float32Array } {
    const values = this.arena.floats(shape.reduce((product, size) => product * size, 1));
    return { info: this.store(shape, 'float32', values), values };
  }

  outputInts(shape: number[]): { info: tf.TensorInfo; values: Int32Array } {
    const values = this.arena.ints(shape.reduce((product, size) => product * size, 1));
    return { info: this.store(shape, 'int32', values), values };
  }

  /** See lentValues. */
  lend(tensor: tf.TensorInfo): Float32Array {
    return this.floats(tensor);
  }

  private copyOf(values: Values): Values {
    if (!(values instanceof Float32Array || values instanceof Int32Array)) return values.slice();
    const { length } = values;
    const copy = values instanceof Float32Array ? this.arena.floats(length) : this.arena.ints(length);
    copy.set(values);
    return copy;
  }

  private store(shape: number[], dtype: tf.DataType, values: Values): tf.TensorInfo {
    const dataId = { id: this.stored++ };
    this.data.set(dataId, { values, dtype, refCount: 1 });
    return { dataId, shape, dtype };
  }
}
