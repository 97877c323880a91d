import { widened } from './widened.js';

/**
 * Symbols by falling key, then in the order that `precedes` tells: a binary heap on typed arrays. Keys are counts as
 * they were; a symbol whose count has fallen is put where it belongs when it comes to the front.
 */
export class MergeQueue {
  private symbols = new Int32Array(1024);
  private keys = new Float64Array(1024);
  private count = 0;
  private readonly precedes: (a: number, b: number) => boolean;

  /** @param precedes which of two symbols with the same key comes first */
  constructor(precedes: (a: number, b: number) => boolean) {
    this.precedes = precedes;
  }

  get size(): number {
    return this.count;
  }

  /** The key of the first symbol; −1 where there is none. */
  get topKey(): number {
    return this.count === 0 ? -1 : this.keys[0];
  }

  clear(): void {
    this.count = 0;
  }

  push(symbol: number, key: number): void {
    if (this.count === this.symbols.length) this.grow();
    let place = this.count++;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.before(symbol, key, this.symbols[parent], this.keys[parent])) break;
      this.move(parent, place);
      place = parent;
    }
    this.symbols[place] = symbol;
    this.keys[place] = key;
  }

  /** Takes out the symbol with the greatest count; symbols whose count is not above `floor` are lost. 0 where none is left. */
  take(counts: Float64Array, floor: number): number {
    while (this.count > 0) {
      const symbol = this.symbols[0];
      const count = counts[symbol];
      if (count === this.keys[0] && count > floor) {
        this.replaceFirst(this.symbols[--this.count], this.keys[this.count]);
        return symbol;
      }
      if (count > floor) this.replaceFirst(symbol, count);
      else this.replaceFirst(this.symbols[--this.count], this.keys[this.count]);
    }
    return 0;
  }

  private replaceFirst(symbol: number, key: number): void {
    let place = 0;
    for (let child = 1; child < this.count; child = 2 * place + 1) {
      const { symbols, keys } = this;
      const other = child + 1;
      if (other < this.count && this.before(symbols[other], keys[other], symbols[child], keys[child]))
        child++;
      if (!this.before(symbols[child], keys[child], symbol, key)) break;
      this.move(child, place);
      place = child;
    }
    this.symbols[place] = symbol;
    this.keys[place] = key;
  }

  private before(a: number, keyOfA: number, b: number, keyOfB: number): boolean {
    return keyOfA > keyOfB || (keyOfA === keyOfB && this.precedes(a, b));
  }

  private move(from: number, to: number): void {
    this.symbols[to] = this.symbols[from];
    this.keys[to] = this.keys[from];
  }

  private grow(): void {
    this.symbols = widened(this.symbols, 2 * this.count);
    this.keys = widened(this.keys, 2 * this.count);
  }
}
