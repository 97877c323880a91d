import type { WordTable } from './word-table.js';

/** Fewer words than this are put in order one by one. */
const FEW = 12;

/** The words of a table by falling count, then by their bytes: as numbers, for there may be tens of millions. */
export function orderWords(table: WordTable): Uint32Array {
  const order = new Uint32Array(table.size);
  const groups = groupByCount(table, order);
  const sorter = new ByteSorter(table, order);
  for (let i = 0; i + 1 < groups.length; i++) sorter.sort(groups[i], groups[i + 1], 0);
  return order;
}

/** Fills `order` by falling count. @returns where the words of each count start, and the end */
function groupByCount(table: WordTable, order: Uint32Array): number[] {
  const sizes = new Map<number, number>();
  for (let word = 0; word < table.size; word++) {
    const count = table.countOf(word);
    sizes.set(count, (sizes.get(count) ?? 0) + 1);
  }
  const starts = [0];
  const next = new Map<number, number>();
  for (const count of Float64Array.from(sizes.keys()).sort().reverse()) {
    const start = starts[starts.length - 1];
    next.set(count, start);
    starts.push(start + sizes.get(count)!);
  }
  for (let word = 0; word < table.size; word++) {
    const count = table.countOf(word);
    const place = next.get(count)!;
    order[place] = word;
    next.set(count, place + 1);
  }
  return starts;
}

/** Quicksort of strings in three ways (Bentley and Sedgewick 1997), by four bytes at a time, which are kept beside. */
class ByteSorter {
  private readonly table: WordTable;
  private readonly order: Uint32Array;
  private readonly keys: Uint32Array;

  constructor(table: WordTable, order: Uint32Array) {
    this.table = table;
    this.order = order;
    this.keys = new Uint32Array(order.length);
  }

  /** Sorts places `from` to `to`, whose words have the same first `depth` bytes. */
  sort(from: number, to: number, depth: number): void {
    if (to - from < 2) return;
    for (let place = from; place < to; place++) this.keys[place] = this.keyOf(this.order[place], depth);
    this.split(from, to, depth);
  }

  private split(from: number, to: number, depth: number): void {
    const { keys } = this;
    let [low, high] = [from, to];
    while (high - low > FEW) {
      const pivot = median(keys[low], keys[(low + high) >>> 1], keys[high - 1]);
      let [less, place, more] = [low, low, high];
      while (place < more) {
        if (keys[place] < pivot) this.swap(less++, place++);
        else if (keys[place] > pivot) this.swap(place, --more);
        else place++;
      }
      this.deepen(less, more, depth);
      // The shorter part first: the stack stays low.
      if (less - low < high - more) {
        this.split(low, less, depth);
        low = more;
      } else {
        this.split(more, high, depth);
        high = less;
      }
    }
    this.insert(low, high, depth);
  }

  private insert(from: number, to: number, depth: number): void {
    const { keys } = this;
    for (let end = from + 1; end < to; end++) {
      for (let place = end; place > from && keys[place] < keys[place - 1]; place--)
        this.swap(place, place - 1);
    }
    for (let start = from, end = from; start < to; start = end) {
      while (end < to && keys[end] === keys[start]) end++;
      this.deepen(start, end, depth);
    }
  }

  /** Goes on with words that have the same four bytes; those that are at their end come first, shorter ones before. */
  private deepen(from: number, to: number, depth: number): void {
    if (to - from < 2) return;
    const { table, order } = this;
    let start = from;
    for (let length = depth; length <= depth + 4; length++) {
      for (let place = start; place < to; place++) {
        if (table.byteLength(order[place]) === length) this.swap(start++, place);
      }
    }
    this.sort(start, to, depth + 4);
  }

  private keyOf(word: number, depth: number): number {
    const [chunk, start, length] = [
      this.table.chunk(word),
      this.table.start(word),
      this.table.byteLength(word),
    ];
    let key = 0;
    for (let i = depth; i < depth + 4; i++) key = (key << 8) | (i < length ? chunk[start + i] : 0);
    return key >>> 0;
  }

  private swap(a: number, b: number): void {
    const { order, keys } = this;
    const [word, key] = [order[a], keys[a]];
    order[a] = order[b];
    keys[a] = keys[b];
    order[b] = word;
    keys[b] = key;
  }
}

function median(a: number, b: number, c: number): number {
  return a < b ? (b < c ? b : Math.max(a, c)) : a < c ? a : Math.max(b, c);
}
