import { tf } from '../../ops/tf.js';
import type { Encoder } from './encoder.js';
import type { Pool } from './pool.js';
import { VIEW_STEP } from './protocol.js';
import { follows, joinedPlace, type Place, type Run, Slabs } from './slabs.js';
import type { Stored, TensorStorage, Values } from './stored.js';

/** What has the tensors. */
interface Owner {
  readonly pool: Pool;
  readonly encoder: Encoder;
  readonly device: { readonly facts: { readonly limits: { buffer: number; binding: number } } };
  bufferOf(tensor: tf.TensorInfo): number;
  output(shape: readonly number[]): { info: tf.TensorInfo; buffer: number };
  incRef(dataId: object): void;
  release(entry: Stored): void;
  send(values: Values, buffer: number): void;
}

/** Tensors that lie one behind another because they are updated together, their gradients, and parts of them. */
export class ListMemory {
  private readonly owner: Owner;
  private readonly stored: TensorStorage;
  private readonly slabs: Slabs;

  /** @param stored the tensors of the backend */
  constructor(owner: Owner, stored: TensorStorage) {
    this.owner = owner;
    this.stored = stored;
    this.slabs = new Slabs(owner.pool, owner.encoder, owner.device.facts.limits);
  }

  /** A tensor for the gradient of another one: where that is of a list, beside the other gradients of the list. */
  gradient(of: tf.TensorInfo): { info: tf.TensorInfo; buffer: number } {
    const { place } = this.stored.get(of.dataId);
    const own = place === undefined ? null : this.slabs.ofGradient(place);
    if (own === null) return this.owner.output(of.shape);
    const info = this.placed(own, undefined, [...of.shape]);
    return { info, buffer: this.owner.bufferOf(info) };
  }

  /** Moves tensors to where they lie one behind another, in this order; they stay as long as they are. */
  layTogether(tensors: readonly tf.TensorInfo[]): void {
    const entries = tensors.map(({ dataId }) => this.stored.get(dataId));
    // What does not fit into one buffer goes on at the start of the next.
    const together = ({ place, of }: Stored, i: number): boolean =>
      of === undefined && (place?.start === 0 || follows(place, entries[i - 1]?.place));
    if (entries.every(together)) return;
    const places = this.slabs.layOut(entries.map(({ size }) => size));
    entries.forEach((entry, i) => {
      const buffer = this.slabs.view(places[i]);
      if (entry.values !== null) this.owner.send(entry.values, buffer);
      else this.owner.encoder.copy(this.owner.bufferOf(tensors[i]), buffer, 4 * entry.size);
      this.owner.release(entry);
      Object.assign(entry, { values: null, buffer, place: places[i], of: undefined, shared: undefined });
    });
    this.owner.encoder.flush();
    this.owner.pool.trim();
  }

  /** Some of the elements of a tensor of a list, without copying them; null where the tensor or the part is none such. */
  part(tensor: tf.TensorInfo, start: number, shape: number[]): tf.TensorInfo | null {
    const { dataId } = tensor;
    const { place } = this.stored.get(dataId);
    if (place === undefined || (4 * start) % VIEW_STEP !== 0) return null;
    this.owner.bufferOf(tensor); // what was put off is there from now on
    this.owner.incRef(dataId);
    const size = tf.util.sizeFromShape(shape);
    return this.placed({ ...place, start: place.start + start, size }, [dataId], shape);
  }

  /** Several tensors as one, without copying them; null where they do not lie one behind another in a list. */
  joined(parts: readonly tf.TensorInfo[], shape: number[]): tf.TensorInfo | null {
    const place = joinedPlace(parts.map(({ dataId }) => this.stored.get(dataId).place));
    if (place === null) return null;
    for (const part of parts) {
      this.owner.bufferOf(part);
      this.owner.incRef(part.dataId);
    }
    const of = parts.map(({ dataId }) => dataId);
    return this.placed(place, of, shape);
  }

  /**
   * Lists of tensors, those of the same place in each list of the same size, as few runs: see `Slabs.runs`.
   *
   * @param asStored whether floats may be of either width
   */
  runs(lists: readonly (readonly tf.TensorInfo[])[], asStored = false): Run[] {
    const located = lists.map((list) =>
      list.map((tensor) => {
        const { size, place, half, buffer } = this.stored.get(tensor.dataId);
        return { buffer: asStored && half === true ? buffer! : this.owner.bufferOf(tensor), size, place };
      }),
    );
    return this.slabs.runs(located);
  }

  /** A buffer for some of the elements of a tensor. */
  window(tensor: tf.TensorInfo, start: number, size: number): number {
    const { size: all, place } = this.stored.get(tensor.dataId);
    return this.slabs.window({ buffer: this.owner.bufferOf(tensor), size: all, place }, start, size);
  }

  private placed(place: Place, of: readonly object[] | undefined, shape: number[]): tf.TensorInfo {
    const { size } = place;
    const buffer = this.slabs.view(place);
    const dataId = this.stored.add({ dtype: 'float32', size, refCount: 1, values: null, buffer, place, of });
    return { dataId, shape, dtype: 'float32' };
  }

  /** The tensor at a place is gone. */
  leave(place: Place): void {
    this.slabs.leave(place);
  }
}
