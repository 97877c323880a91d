/**
 * The order in which a C++ `std::unordered_map` with 64-bit integer keys goes through its elements, in GNU's
 * library (bits/hashtable.h). SentencePiece keeps its symbols in one and cuts off the rarest in this order, which
 * decides among equals once a text is nearly exhausted.
 */
export class HashOrder {
  /** Neighbours of each element in the list of all; element 0 is the end on both sides. */
  private readonly next: number[] = [0];
  private readonly previous: number[] = [0];
  /** Halves of the keys. */
  private readonly high: number[] = [0];
  private readonly low: number[] = [0];
  /** First element of each bucket in the list; 0 where it is empty. */
  private buckets = new Int32Array(1);
  private grown = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** @param element a number from 1 that has not been used before */
  insert(element: number, high: number, low: number): void {
    [this.high[element], this.low[element]] = [high, low];
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

  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (let element = this.next[0]; element !== 0; element = this.next[element]) yield element;
  }

  /** Before the others of its bucket; before everything where the bucket is empty. */
  private link(element: number): void {
    const bucket = this.bucketOf(element);
    const after = this.buckets[bucket] || this.next[0];
    const before = this.buckets[bucket] === 0 ? 0 : this.previous[after];
    [this.next[before], this.next[element]] = [element, after];
    [this.previous[element], this.previous[after]] = [before, element];
    this.buckets[bucket] = element;
  }

  private grow(): void {
    const elements = [...this];
    this.buckets = new Int32Array(BUCKETS[this.grown] ?? this.buckets.length * 2 + 1);
    this.grown++;
    [this.next[0], this.previous[0]] = [0, 0];
    for (const element of elements) this.link(element);
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
