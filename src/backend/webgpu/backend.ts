import { UserError } from '../../common/errors.js';
import { tf } from '../../ops/tf.js';
import type { Device } from './device.js';
import { Encoder, type Groups } from './encoder.js';
import { classOf, Pool } from './pool.js';
import { GROUP, type Program } from './program.js';
import { VIEW_STEP } from './protocol.js';
import { follows, joinedPlace, type Place, type Run, Slabs } from './slabs.js';

type Values = Float32Array | Int32Array | Uint8Array;

/** A tensor: numbers that were given and not yet sent to the device, or a buffer there, of its own or part of another. */
interface Stored {
  dtype: tf.DataType;
  size: number;
  refCount: number;
  values: Values | null;
  buffer: number | null;
  /** Where it lies in the memory of a list. */
  place?: Place;
  /** The tensors whose memory it is part of. */
  of?: readonly object[];
}

/**
 * Storage of tensors on a device for WebGPU. Every element has four bytes there, also a boolean. A tensor owns its
 * buffer, which goes back to the pool when the last reference is dropped.
 */
export class WebGpuBackend extends tf.KernelBackend {
  readonly device: Device;
  readonly encoder: Encoder;
  readonly pool: Pool;
  private readonly slabs: Slabs;
  private readonly stored: tf.DataStorage<Stored>;

  constructor(device: Device) {
    super();
    this.device = device;
    this.encoder = new Encoder(device);
    this.pool = new Pool(this.encoder);
    this.slabs = new Slabs(this.pool, this.encoder, device.facts.limits);
    this.stored = new tf.DataStorage<Stored>(this, tf.engine());
  }

  override numDataIds(): number {
    return this.stored.numDataIds();
  }

  override refCount(dataId: object): number {
    return this.stored.has(dataId) ? this.stored.get(dataId).refCount : 0;
  }

  override incRef(dataId: object): void {
    this.stored.get(dataId).refCount++;
  }

  override write(values: tf.backend_util.BackendValues, _shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.put(dataId, values as Values, dtype, 1);
    return dataId;
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues,
    _shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    this.put(dataId, values as Values, dtype, refCount);
  }

  override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
    const entry = this.stored.get(dataId);
    if (entry.values !== null) return entry.values.slice();
    if (entry.size === 0) return valuesOf(new ArrayBuffer(0), entry.dtype);
    this.encoder.flush();
    return valuesOf(await this.device.read(entry.buffer!, 4 * entry.size), entry.dtype);
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    const entry = this.stored.get(dataId);
    if (entry.values !== null) return entry.values.slice();
    if (entry.size === 0) return valuesOf(new ArrayBuffer(0), entry.dtype);
    this.encoder.flush();
    return valuesOf(this.device.readSync(entry.buffer!, 4 * entry.size), entry.dtype);
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.stored.has(dataId)) return true;
    const entry = this.stored.get(dataId);
    entry.refCount--;
    if (!force && entry.refCount > 0) return false;
    this.stored.delete(dataId);
    this.release(entry);
    return true;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  /** The buffer of a tensor. */
  bufferOf({ dataId }: tf.TensorInfo): number {
    const entry = this.stored.get(dataId);
    if (entry.buffer !== null) return entry.buffer;
    entry.buffer = this.allocate(entry.size, true);
    this.send(entry.values!, entry.buffer);
    entry.values = null;
    return entry.buffer;
  }

  /** The buffer of a tensor of floats. */
  floats(tensor: tf.TensorInfo): number {
    if (tensor.dtype !== 'float32') throw new TypeError(`expected a float32 tensor, found ${tensor.dtype}`);
    return this.bufferOf(tensor);
  }

  /** The number of a tensor of one, where it has not been computed on the device. */
  knownNumber({ dataId }: tf.TensorInfo): number | null {
    const { values, size } = this.stored.get(dataId);
    return values !== null && size === 1 ? values[0] : null;
  }

  /** A tensor for a program to fill in. */
  output(
    shape: readonly number[],
    dtype: 'float32' | 'int32' = 'float32',
  ): { info: tf.TensorInfo; buffer: number } {
    const size = tf.util.sizeFromShape([...shape]);
    const buffer = this.allocate(size);
    const dataId = {};
    this.stored.set(dataId, { dtype, size, refCount: 1, values: null, buffer });
    return { info: { dataId, shape: [...shape], dtype }, buffer };
  }

  /** Two tensors for one program to fill in: they share a buffer, the second `apart` floats behind the first. */
  outputPair(shape: readonly number[]): { infos: tf.TensorInfo[]; buffer: number; apart: number } {
    const size = tf.util.sizeFromShape([...shape]);
    const bytes = classOf(4 * size);
    const both = this.output([bytes / 2]);
    this.stored.get(both.info.dataId).refCount = 2;
    const infos = [0, bytes].map((start) => {
      const dataId = {};
      const buffer = this.encoder.view(both.buffer, start, bytes);
      const of = [both.info.dataId];
      this.stored.set(dataId, { dtype: 'float32', size, refCount: 1, values: null, buffer, of });
      return { dataId, shape: [...shape], dtype: 'float32' as const };
    });
    return { infos, buffer: both.buffer, apart: bytes / 4 };
  }

  /** A tensor for the gradient of another one: where that is of a list, beside the other gradients of the list. */
  gradient(of: tf.TensorInfo): { info: tf.TensorInfo; buffer: number } {
    const { place } = this.stored.get(of.dataId);
    const own = place === undefined ? null : this.slabs.ofGradient(place);
    if (own === null) return this.output(of.shape);
    const info = this.placed(own, undefined, [...of.shape]);
    return { info, buffer: this.bufferOf(info) };
  }

  /** Moves tensors to where they lie one behind another, in this order; they stay as long as they are. */
  layTogether(tensors: readonly tf.TensorInfo[]): void {
    const entries = tensors.map(({ dataId }) => this.stored.get(dataId));
    const together = ({ place }: Stored, i: number) => i === 0 || follows(place, entries[i - 1].place);
    if (entries[0]?.place !== undefined && entries.every(together)) return;
    const places = this.slabs.layOut(entries.map(({ size }) => size));
    entries.forEach((entry, i) => {
      const buffer = this.slabs.view(places[i]);
      if (entry.values !== null) this.send(entry.values, buffer);
      else this.encoder.copy(entry.buffer!, buffer, 4 * entry.size);
      this.release(entry);
      Object.assign(entry, { values: null, buffer, place: places[i], of: undefined });
    });
    this.encoder.flush();
    this.pool.trim();
  }

  /** Some of the elements of a tensor of a list, without copying them; null where the tensor or the part is none such. */
  part({ dataId }: tf.TensorInfo, start: number, shape: number[]): tf.TensorInfo | null {
    const { place } = this.stored.get(dataId);
    if (place === undefined || (4 * start) % VIEW_STEP !== 0) return null;
    this.incRef(dataId);
    const size = tf.util.sizeFromShape(shape);
    return this.placed({ ...place, start: place.start + start, size }, [dataId], shape);
  }

  /** Several tensors as one, without copying them; null where they do not lie one behind another in a list. */
  joined(parts: readonly tf.TensorInfo[], shape: number[]): tf.TensorInfo | null {
    const place = joinedPlace(parts.map(({ dataId }) => this.stored.get(dataId).place));
    if (place === null) return null;
    for (const { dataId } of parts) this.incRef(dataId);
    const of = parts.map(({ dataId }) => dataId);
    return this.placed(place, of, shape);
  }

  /** Lists of tensors, those of the same place in each list of the same size, as few runs: see `Slabs.runs`. */
  runs(lists: readonly (readonly tf.TensorInfo[])[]): Run[] {
    const located = lists.map((list) =>
      list.map((tensor) => {
        const { size, place } = this.stored.get(tensor.dataId);
        return { buffer: this.bufferOf(tensor), size, place };
      }),
    );
    return this.slabs.runs(located);
  }

  /** The same values under another shape. */
  alias({ dataId, dtype }: tf.TensorInfo, shape: number[]): tf.TensorInfo {
    this.incRef(dataId);
    return { dataId, shape, dtype };
  }

  /** A buffer for what is needed only within a kernel; the caller gives it back to the pool. */
  allocate(size: number, untouched = false): number {
    const bytes = Math.max(4, 4 * size);
    const { binding } = this.device.facts.limits;
    if (bytes > binding)
      throw new UserError({
        problem: `expected at most ${binding} bytes in a tensor, which is what the graphics card takes, found ${bytes}`,
        where: 'backend',
        hint: 'Take a smaller vocabulary, model or train.max-tokens, or use --backend native.',
      });
    return this.pool.take(bytes, untouched);
  }

  run<B extends string, U extends string>(
    program: Program<B, U>,
    ids: Record<B, number>,
    uniforms: Record<U, number | Int32Array>,
    groups: Groups,
  ): void {
    this.encoder.dispatch(program, ids, uniforms, groups);
  }

  /** Groups for a number of them that may be more than a dimension takes. */
  fold(count: number, z = 1): Groups {
    const most = this.device.facts.limits.groups;
    const y = Math.ceil(count / most);
    return [y <= 1 ? count : Math.ceil(count / y), Math.max(1, y), z];
  }

  /** Groups for so many invocations. */
  elements(count: number): Groups {
    return this.fold(Math.ceil(count / GROUP));
  }

  private placed(place: Place, of: readonly object[] | undefined, shape: number[]): tf.TensorInfo {
    const dataId = {};
    const { size } = place;
    const buffer = this.slabs.view(place);
    this.stored.set(dataId, { dtype: 'float32', size, refCount: 1, values: null, buffer, place, of });
    return { dataId, shape, dtype: 'float32' };
  }

  /** Gives back what a tensor has hold of. */
  private release({ buffer, place, of }: Stored): void {
    if (of !== undefined) for (const dataId of of) this.disposeData(dataId);
    else if (place !== undefined) this.slabs.leave(place);
    else if (buffer !== null) this.pool.give(buffer);
  }

  private send(values: Values, buffer: number): void {
    const words = values instanceof Uint8Array ? Int32Array.from(values) : values;
    this.encoder.write(buffer, new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  }

  private put(dataId: object, values: Values, dtype: tf.DataType, refCount: number): void {
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool')
      throw new TypeError(`expected numbers, found ${dtype}`);
    const own =
      values instanceof Float32Array || values instanceof Int32Array ? values.slice() : typed(values, dtype);
    this.stored.set(dataId, { dtype, size: own.length, refCount, values: own, buffer: null });
  }
}

function typed(values: ArrayLike<number>, dtype: 'float32' | 'int32' | 'bool'): Values {
  if (dtype === 'bool') return Uint8Array.from(values);
  return dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
}

function valuesOf(memory: ArrayBuffer, dtype: tf.DataType): Values {
  if (dtype === 'float32') return new Float32Array(memory);
  const ints = new Int32Array(memory);
  return dtype === 'bool' ? Uint8Array.from(ints) : ints;
}
