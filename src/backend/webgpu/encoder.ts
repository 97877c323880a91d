import type { KernelDropout } from '../../ops/kernels.js';
import type { Device } from './device.js';
import { writeMask } from './mask.js';
import type { BufferSource } from './pool.js';
import type { Program, UniformValue } from './program.js';
import { BATCH_DISPATCHES, Command, type PipelineSource, UNIFORM_STRIDE } from './protocol.js';

/** Most bytes of data that wait to be written. */
const MOST_WRITTEN = 2 ** 26;

/** Groups of a dispatch over x, y and z. */
export type Groups = readonly [x: number, y: number, z: number];

const newMap = <V>(): Map<number, V> => new Map();

/** What a map has for a key, made where it has nothing. */
function entryOf<V>(map: Map<number, V>, key: number, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) {
    found = make();
    map.set(key, found);
  }
  return found;
}

/** Numbers that say what is to be done, see Command. */
class Commands {
  length = 0;
  private memory = new Float64Array(1 << 12);

  put(...numbers: readonly number[]): void {
    if (this.length + numbers.length > this.memory.length) {
      const larger = new Float64Array(2 * this.memory.length);
      larger.set(this.memory);
      this.memory = larger;
    }
    for (let i = 0; i < numbers.length; i++) this.memory[this.length++] = numbers[i];
  }

  /** @returns a copy of its own memory, to be sent */
  take(): Float64Array<ArrayBuffer> {
    return this.memory.slice(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }
}

/** Writes what the device has to do into batches, and sends them when they are full or their results are wanted. */
export class Encoder implements BufferSource {
  batch = 0;
  /** What was sent since the start. */
  readonly counts = { dispatches: 0, batches: 0, buffers: 0 };
  private readonly device: Device;
  private readonly commands = new Commands();
  private pipelines: PipelineSource[] = [];
  private readonly known = new Set<number>();
  private readonly words = new Uint32Array((BATCH_DISPATCHES * UNIFORM_STRIDE) / 4);
  private readonly floats = new Float32Array(this.words.buffer);
  private dispatches = 0;
  private written: Uint8Array[] = [];
  private writtenBytes = 0;
  private indices = new Int32Array(1 << 12);
  private indexCount = 0;
  /** Where arrays of this batch lie in the arena of indices. */
  private places = new Map<Int32Array, number>();
  private ids = 0;
  /** Parts of buffers that have an id of their own, by buffer, start and type, and length. */
  private readonly views = new Map<number, Map<number, Map<number, number>>>();
  /** Those whose numbers are of float16: the id of a buffer tells its type, so that nothing can read it as another. */
  private readonly halves = new Set<number>();

  constructor(device: Device) {
    this.device = device;
  }

  create(bytes: number): number {
    const id = this.ids++;
    this.counts.buffers++;
    this.commands.put(Command.create, id, bytes);
    return id;
  }

  destroy(id: number): void {
    for (const ofPlace of this.views.get(id)?.values() ?? []) {
      for (const view of ofPlace.values()) {
        this.commands.put(Command.destroy, view);
        this.halves.delete(view);
      }
    }
    this.views.delete(id);
    this.commands.put(Command.destroy, id);
  }

  /**
   * Part of a buffer, to be used like one. It is known until the buffer is destroyed: only for parts that are used again.
   *
   * @param start in bytes, a multiple of VIEW_STEP
   * @param half whether its numbers are of float16
   */
  view(buffer: number, start: number, bytes: number, half = false): number {
    this.expectFloats(buffer);
    const ofBuffer = entryOf(this.views, buffer, newMap<Map<number, number>>);
    const ofPlace = entryOf(ofBuffer, start + Number(half), newMap<number>); // a start is even
    let id = ofPlace.get(bytes);
    if (id === undefined) {
      id = this.ids++;
      ofPlace.set(bytes, id);
      if (half) this.halves.add(id);
      this.commands.put(Command.view, id, buffer, start, bytes);
    }
    return id;
  }

  /** Whether the numbers of a buffer are of float16. */
  isHalf(id: number): boolean {
    return this.halves.has(id);
  }

  copy(from: number, to: number, bytes: number): void {
    for (const id of [from, to]) this.expectFloats(id);
    this.commands.put(Command.copy, from, to, bytes);
  }

  /** Writes into a buffer that nothing of this batch has used before. */
  write(id: number, data: Uint8Array): void {
    this.commands.put(Command.write, id, this.writtenBytes, data.length);
    this.written.push(data);
    this.writtenBytes += data.length;
    if (this.writtenBytes > MOST_WRITTEN) this.flush();
  }

  dispatch<B extends string, U extends string>(
    { sourceFor, buffers, uniforms }: Program<B, U>,
    ids: Record<B, number>,
    values: Record<U, UniformValue>,
    [x, y, z]: Groups,
  ): void {
    if (x === 0 || y === 0 || z === 0) return;
    if (this.dispatches === BATCH_DISPATCHES) this.flush();
    let halves = 0;
    if (this.halves.size > 0)
      for (let i = 0; i < buffers.length; i++) if (this.halves.has(ids[buffers[i]])) halves |= 1 << i;
    const source = sourceFor(halves);
    if (!this.known.has(source.id)) {
      this.known.add(source.id);
      this.pipelines.push(source);
    }
    const start = this.dispatches++ * UNIFORM_STRIDE;
    let place = start / 4;
    for (let i = 0; i < uniforms.length; i++) {
      const { name, kind } = uniforms[i];
      const value = values[name];
      if (kind === 'mask') place = writeMask(this.words, this.floats, place, value as KernelDropout);
      else if (kind === 'f32') this.floats[place++] = value as number;
      else this.words[place++] = kind === 'indices' ? this.placeOf(value as Int32Array) : (value as number);
    }
    this.commands.put(Command.dispatch, source.id, start, x, y, z, buffers.length);
    for (let i = 0; i < buffers.length; i++) this.commands.put(ids[buffers[i]]);
  }

  settle(): void {
    const id = this.create(4);
    this.flush();
    this.device.readSync(id, 4);
    this.destroy(id);
  }

  async restart(): Promise<void> {
    await this.device.reopen();
    this.known.clear();
    this.views.clear();
    this.begin();
  }

  /** Sends what there is. */
  flush(): void {
    if (this.commands.length === 0) return;
    const written = new Uint8Array(this.writtenBytes);
    let end = 0;
    for (const data of this.written) {
      written.set(data, end);
      end += data.length;
    }
    this.counts.dispatches += this.dispatches;
    this.counts.batches++;
    this.device.run({
      commands: this.commands.take(),
      written,
      uniforms: new Uint8Array(this.words.buffer.slice(0, this.dispatches * UNIFORM_STRIDE)),
      indices: this.indices.slice(0, this.indexCount),
      pipelines: this.pipelines,
    });
    this.begin();
  }

  private begin(): void {
    this.batch++;
    this.commands.clear();
    this.pipelines = [];
    this.written = [];
    this.places.clear();
    this.dispatches = this.writtenBytes = this.indexCount = 0;
  }

  private expectFloats(id: number): void {
    if (this.halves.has(id)) throw new Error('expected a buffer of four bytes a number, found float16');
  }

  private placeOf(array: Int32Array): number {
    let place = this.places.get(array);
    if (place === undefined) {
      place = this.indexCount;
      this.indexCount += array.length;
      if (this.indexCount > this.indices.length) {
        const larger = new Int32Array(2 ** Math.ceil(Math.log2(this.indexCount)));
        larger.set(this.indices);
        this.indices = larger;
      }
      this.indices.set(array, place);
      this.places.set(array, place);
    }
    return place;
  }
}
