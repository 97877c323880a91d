import { placesOf } from '../common/places.js';
import { KeyValueStore } from '../ops/cached-attention.js';

/** Something that keeps a list of places, and may be told of others. */
export interface PlaceHolder {
  places: Int32Array;
}

/** The stores of all layers of a decoder. A place has one number in all of them. */
export class LayerStores {
  readonly stores: readonly KeyValueStore[];
  private readonly spare: KeyValueStore[];
  /** Places that were given out, in use or not. */
  private count = 0;

  /** @param spare stores to use, and to give back at the end: their memory serves the next batch */
  constructor(layers: number, width: number, spare: KeyValueStore[]) {
    this.spare = spare;
    this.stores = Array.from({ length: layers }, () => spare.pop() ?? new KeyValueStore(width));
  }

  /** Gives out places, one after another. @returns the first of them */
  take(count: number): number {
    const first = this.count;
    this.count += count;
    return first;
  }

  /**
   * Moves the places in use to the front where those are less than half of all, so that the stores stay about as large
   * as what they hold.
   *
   * @param holders of all places that are in use
   */
  compact(holders: readonly PlaceHolder[]): void {
    const marks = new Uint8Array(this.count);
    for (const { places } of holders) for (let i = 0; i < places.length; i++) marks[places[i]] = 1;
    const used = placesOf(marks);
    if (2 * used.length >= this.count) return;
    for (const store of this.stores) store.compact(used);
    const moved = new Int32Array(this.count);
    for (let to = 0; to < used.length; to++) moved[used[to]] = to;
    for (const holder of holders) holder.places = holder.places.map((place) => moved[place]);
    this.count = used.length;
  }

  dispose(): void {
    this.spare.push(...this.stores);
  }
}
