import type { Fingerprint } from './fingerprint.js';
import { widened } from './widened.js';

/**
 * The order in which a C++ `std::unordered_map` with 64-bit integer keys goes through its elements, in GNU's
 * library (bits/hashtable.h). SentencePiece keeps its symbols in one and cuts off the rarest in this order, which
 * decides among equals once a text is nearly exhausted.
 */
export class HashOrder {
  /** Neighbours of each element in the list of all; element 0 is the end on both sides. */
  private next = new Int32Array(1024);
  private previous = new Int32Array(1024);
  /** Halves of the keys. */
  private high = new Uint32Array(1024);
  private low = new Uint32Array(1024);
  /** First element of each bucket in the list; 0 where it is empty. */
  private buckets = new Int32Array(1);
  private grown = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** @param element a number from 1 that has not been used before */
  insert(element: number, high: number, low: number): void {
    if (element >= this.next.length) this.widen(2 * element);
    this.high[element] = high;
    this.low[element] = low;
    if (this.count + 1 > this.buckets.length || this.grown === 0) this.grow();
    this.link(element);
    this.count++;
  }

  erase(element: number): void {
    const [before, after] = [this.previous[element], this.next[element]];
    const bucket = this.bucketOf(element);
    if (this.buckets[bucket] === element) {
      this.buckets[bucket] = after !== 0 && this.bucketOf(after) === bucket ? after : 0;
    }
    this.next[before] = after;
    this.previous[after] = before;
    this.count--;
  }

  /** The key that an element was inserted with, erased or not. */
  keyOf(element: number): Fingerprint {
    return { high: this.high[element], low: this.low[element] };
  }

  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (let element = this.next[0]; element !== 0; element = this.next[element]) yield element;
  }

  /** Before the others of its bucket; before everything where the bucket is empty. */
  private link(element: number): void {
    const bucket = this.bucketOf(element);
    const after = this.buckets[bucket] || this.next[0];
    const before = this.buckets[bucket] === 0 ? 0 : this.previous[after];
    this.next[before] = element;
    this.next[element] = after;
    this.previous[element] = before;
    this.previous[after] = element;
    this.buckets[bucket] = element;
  }

  private grow(): void {
    const elements = Int32Array.from(this);
    this.buckets = new Int32Array(BUCKETS[this.grown] ?? this.buckets.length * 2 + 1);
    this.grown++;
    this.next[0] = 0;
    this.previous[0] = 0;
    for (const element of elements) this.link(element);
  }

  private widen(size: number): void {
    this.next = widened(this.next, size);
    this.previous = widened(this.previous, size);
    this.high = widened(this.high, size);
    this.low = widened(this.low, size);
  }

  private bucketOf(element: number): number {
    const size = this.buckets.length;
    return ((this.high[element] % size) * (2 ** 32 % size) + (this.low[element] % size)) % size;
  }
}

/** Numbers of buckets that the library goes through when elements come one by one. */
const BUCKETS = [
  13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10273, 20753, 42043, 85229, 172933, 351061, 712697, 1447153,
  2938679, 5967347, 12117689,
];
