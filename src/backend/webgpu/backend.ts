import { UserError } from '../../common/errors.js';
import { tf } from '../../ops/tf.js';
import type { Device } from './device.js';
import { Encoder, type Groups } from './encoder.js';
import { ListMemory } from './list-memory.js';
import { PartSums } from './part-sums.js';
import { classOf, Pool } from './pool.js';
import { GROUP, type Program, type UniformValue, WIDEN } from './program.js';
import { given, type Shared, type Stored, TensorStorage, type Values, valuesOf } from './stored.js';

/**
 * Storage of tensors on a device for WebGPU. An element has four bytes there, also a boolean, but for activations in half
 * precision, which have two. A tensor owns its buffer, which goes back to the pool when the last reference is dropped.
 */
export class WebGpuBackend extends tf.KernelBackend {
  readonly device: Device;
  readonly encoder: Encoder;
  readonly pool: Pool;
  /** Tensors that are updated together. */
  readonly lists: ListMemory;
  /** What was put off of products that are summed in parts. */
  readonly sums: PartSums;
  private readonly stored: TensorStorage;

  constructor(device: Device) {
    super();
    this.device = device;
    this.encoder = new Encoder(device);
    this.pool = new Pool(this.encoder);
    this.stored = new TensorStorage(this);
    this.sums = new PartSums(this, this.stored);
    this.lists = new ListMemory(this, this.stored);
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
    return this.stored.add(given(values as Values, dtype, 1));
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues,
    _shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    this.stored.set(dataId, given(values as Values, dtype, refCount));
  }

  override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
    const entry = this.stored.get(dataId);
    if (entry.values !== null) return entry.values.slice();
    if (entry.size === 0) return valuesOf(new ArrayBuffer(0), entry.dtype);
    if (entry.unsummed) this.sums.make();
    this.encoder.flush();
    if (entry.shared?.readTogether !== true)
      return valuesOf(
        await this.inFull(entry, (buffer) => this.device.read(buffer, 4 * entry.size)),
        entry.dtype,
      );
    const { shared, start = 0 } = entry;
    shared.memory ??= this.device.read(shared.buffer, shared.bytes);
    return valuesOf((await shared.memory).slice(4 * start, 4 * (start + entry.size)), entry.dtype);
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    const entry = this.stored.get(dataId);
    if (entry.values !== null) return entry.values.slice();
    if (entry.size === 0) return valuesOf(new ArrayBuffer(0), entry.dtype);
    if (entry.unsummed) this.sums.make();
    this.encoder.flush();
    return valuesOf(
      this.inFull(entry, (buffer) => this.device.readSync(buffer, 4 * entry.size)),
      entry.dtype,
    );
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.stored.has(dataId)) return true;
    const entry = this.stored.get(dataId);
    entry.refCount--;
    if (!force && entry.refCount > 0) return false;
    this.stored.delete(dataId);
    if (entry.unsummed) this.sums.make();
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

  /** The buffer of a tensor, of four bytes an element: what has two has four from then on. */
  bufferOf({ dataId }: tf.TensorInfo): number {
    const entry = this.stored.get(dataId);
    if (entry.half === true) this.widen(entry);
    if (entry.unsummed) this.sums.make();
    if (entry.buffer !== null) return entry.buffer;
    entry.buffer = this.allocate(entry.size, { untouched: true, most: this.device.facts.limits.buffer });
    this.send(entry.values!, entry.buffer);
    entry.values = null;
    return entry.buffer;
  }

  /** The buffer of a tensor of floats, for a program that takes all of it at once. */
  floats(tensor: tf.TensorInfo): number {
    if (tensor.dtype !== 'float32') throw new TypeError(`expected a float32 tensor, found ${tensor.dtype}`);
    this.check(4 * this.stored.get(tensor.dataId).size, this.device.facts.limits.binding);
    return this.bufferOf(tensor);
  }

  /** The buffer of a tensor of floats as it is, for a program that takes them of either width: `numbers` of program.ts. */
  numbers(tensor: tf.TensorInfo): number {
    return this.isHalf(tensor) ? this.stored.get(tensor.dataId).buffer! : this.floats(tensor);
  }

  /** Whether the numbers of one of some tensors have two bytes on the device. */
  isHalf(...tensors: readonly (tf.TensorInfo | undefined)[]): boolean {
    return tensors.some((tensor) => tensor !== undefined && this.stored.get(tensor.dataId).half === true);
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
    most = this.device.facts.limits.binding,
  ): { info: tf.TensorInfo; buffer: number } {
    const size = tf.util.sizeFromShape([...shape]);
    const buffer = this.allocate(size, { most });
    const dataId = this.stored.add({ dtype, size, refCount: 1, values: null, buffer });
    return { info: { dataId, shape: [...shape], dtype }, buffer };
  }

  /** A tensor for a program to fill in with floats that are stored in two bytes each, or in four. */
  activation(shape: readonly number[], half: boolean): { info: tf.TensorInfo; buffer: number } {
    if (!half) return this.output(shape);
    const { infos, buffer } = this.outputsTogether([{ shape }], { half });
    return { info: infos[0], buffer };
  }

  /** A tensor for programs to fill in part by part: see windows.ts. */
  largeOutput(shape: readonly number[]): tf.TensorInfo {
    return this.output(shape, 'float32', this.device.facts.limits.buffer).info;
  }

  /**
   * Tensors for one program to fill in that share a buffer, each behind the one before.
   *
   * @param readTogether whether whoever reads one of them is going to read the others: then all are read at once
   * @param half whether they are floats that are stored in two bytes each
   * @returns where they start in elements, too
   */
  outputsTogether(
    wanted: readonly { shape: readonly number[]; dtype?: 'float32' | 'int32' }[],
    { readTogether = false, half = false } = {},
  ): { infos: tf.TensorInfo[]; buffer: number; starts: number[] } {
    const sizes = wanted.map(({ shape }) => tf.util.sizeFromShape([...shape]));
    const each = half ? 2 : 4;
    let bytes = 0;
    const starts = sizes.map((size) => {
      const start = bytes / each;
      bytes += classOf(each * size);
      return start;
    });
    // What has two bytes an element may be wanted with four.
    this.check(4 * Math.max(...sizes), this.device.facts.limits.binding);
    const shared: Shared = {
      ...{ buffer: this.allocate(bytes / 4), bytes, live: wanted.length },
      ...{ readTogether, memory: null },
    };
    const infos = wanted.map(({ shape, dtype = 'float32' }, i) => {
      const buffer = this.encoder.view(shared.buffer, each * starts[i], classOf(each * sizes[i]), half);
      const entry = { dtype, size: sizes[i], half, refCount: 1, values: null, buffer };
      const dataId = this.stored.add({ ...entry, shared, start: starts[i] });
      return { dataId, shape: [...shape], dtype };
    });
    const buffer = half ? this.encoder.view(shared.buffer, 0, classOf(bytes), true) : shared.buffer;
    return { infos, buffer, starts };
  }

  /** The same values under another shape. */
  alias({ dataId, dtype }: tf.TensorInfo, shape: number[]): tf.TensorInfo {
    this.incRef(dataId);
    return { dataId, shape, dtype };
  }

  /** A buffer for what is needed only within a kernel; the caller gives it back to the pool. */
  allocate(
    size: number,
    {
      untouched = false,
      most = this.device.facts.limits.binding,
    }: { untouched?: boolean; most?: number } = {},
  ): number {
    const bytes = Math.max(4, 4 * size);
    this.check(bytes, most);
    return this.pool.take(bytes, untouched);
  }

  run<B extends string, U extends string>(
    program: Program<B, U>,
    ids: Record<B, number>,
    uniforms: Record<U, UniformValue>,
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

  private check(bytes: number, most: number): void {
    if (bytes <= most) return;
    throw new UserError({
      problem: `expected at most ${most} bytes in a tensor, which is what the graphics card takes, found ${bytes}`,
      where: 'backend',
      hint: 'Take a smaller vocabulary, model or train.max-tokens, or use --backend native.',
    });
  }

  /** Gives back what a tensor has hold of. */
  release({ buffer, place, of, shared }: Stored): void {
    if (of !== undefined) for (const dataId of of) this.disposeData(dataId);
    else if (place !== undefined) this.lists.leave(place);
    else if (shared !== undefined) {
      if (--shared.live === 0) this.pool.give(shared.buffer);
    } else if (buffer !== null) this.pool.give(buffer);
  }

  send(values: Values, buffer: number): void {
    const words = values instanceof Uint8Array ? Int32Array.from(values) : values;
    this.encoder.write(buffer, new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  }

  /** What a read gives of a tensor with four bytes an element; where it has two, of a copy. */
  private inFull<T>(entry: Stored, read: (buffer: number) => T): T {
    if (entry.half !== true) return read(entry.buffer!);
    const copy = this.widened(entry);
    this.encoder.flush();
    const result = read(copy); // what is done next with the buffer comes behind it
    this.pool.give(copy);
    return result;
  }

  private widen(entry: Stored): void {
    const buffer = this.widened(entry);
    this.release(entry);
    Object.assign(entry, { buffer, half: false, shared: undefined });
  }

  private widened({ buffer, size }: Stored): number {
    const copy = this.allocate(size);
    this.run(WIDEN, { x: buffer!, y: copy }, { count: size }, this.elements(size));
    return copy;
  }
}
