import { widened } from './widened.js';

/**
 * Characters and pairs of symbols, in columns. Numbers are from 1, as they are made. A pair is found by its parts until
 * it is retired; after that the same parts make another pair.
 */
export class PairSymbols {
  private count = 0;
  /** Parts of a pair, the left one negative once it is retired; 0 for characters. */
  left = new Int32Array(1024);
  right = new Int32Array(1024);
  /** A cell where the symbol was seen to start, and how many characters, which is cells, it takes. */
  origin = new Int32Array(1024);
  length = new Uint8Array(1024);
  script = new Uint8Array(1024);
  /** How often a pair stands in the text by now. */
  counts = new Float64Array(1024);
  /** The mark since which its count has changed, see MergeCandidates. */
  changedAt = new Int32Array(1024);
  /** Where the list of its positions starts, and its length. */
  first = new Uint32Array(1024);
  positions = new Int32Array(1024);
  /** Open addressing by both parts. */
  private slots = new Int32Array(4096);

  /** The number of the last symbol. */
  get size(): number {
    return this.count;
  }

  add(left: number, right: number, origin: number, length: number, script: number): number {
    if (this.count + 1 === this.left.length) this.widen(2 * this.left.length);
    const symbol = ++this.count;
    this.left[symbol] = left;
    this.right[symbol] = right;
    this.origin[symbol] = origin;
    this.length[symbol] = length;
    this.script[symbol] = script;
    if (left > 0) {
      if (2 * symbol > this.slots.length) this.growSlots();
      else this.slots[this.freeSlot(left, right)] = symbol;
    }
    return symbol;
  }

  /** The pair of these parts that is not retired; 0 where there is none. */
  find(left: number, right: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    for (let slot = hashOf(left, right) & mask; ; slot = (slot + 1) & mask) {
      const symbol = slots[slot];
      if (symbol === 0 || (this.left[symbol] === left && this.right[symbol] === right)) return symbol;
    }
  }

  retire(pair: number): void {
    this.left[pair] = -this.left[pair];
  }

  /** Whether it is a pair that is not retired. */
  isPair(symbol: number): boolean {
    return this.left[symbol] > 0;
  }

  private freeSlot(left: number, right: number): number {
    const mask = this.slots.length - 1;
    let slot = hashOf(left, right) & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    return slot;
  }

  private growSlots(): void {
    this.slots = new Int32Array(2 * this.slots.length);
    for (let symbol = 1; symbol <= this.count; symbol++) {
      if (this.isPair(symbol)) this.slots[this.freeSlot(this.left[symbol], this.right[symbol])] = symbol;
    }
  }

  private widen(size: number): void {
    this.left = widened(this.left, size);
    this.right = widened(this.right, size);
    this.origin = widened(this.origin, size);
    this.length = widened(this.length, size);
    this.script = widened(this.script, size);
    this.counts = widened(this.counts, size);
    this.changedAt = widened(this.changedAt, size);
    this.first = widened(this.first, size);
    this.positions = widened(this.positions, size);
  }
}

function hashOf(left: number, right: number): number {
  const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
  return hash ^ (hash >>> 15);
}
