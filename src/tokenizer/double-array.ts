/** Bits of an offset of which one group must be the same in a node and its children: else it does not fit a unit. */
const UPPER = 0xff << 21;
const LOWER = 0xff;
const HAS_LEAF = 1 << 8;
const IS_LEAF = 1 << 31;
const BLOCK = 256;
/** Units that are looked at for a free place; blocks before them are closed. */
const OPEN = 16 * BLOCK;

/** The children of a node, by falling age: their labels in order, and what each leads to. Equal ones are one. */
interface Children {
  readonly labels: readonly number[];
  /** The value where the label is 0, which ends a key; else the children of the child. */
  readonly targets: readonly (number | Children)[];
  readonly id: number;
  /** Whether several nodes have them. */
  shared: boolean;
  /** Where they were put; 0 where they were not yet. */
  offset: number;
}

/**
 * The double array of a trie as Darts-clone (Yata 2011) builds it for keys with values: a minimal automaton first, whose
 * common parts may stand once. The units are the same one by one.
 *
 * @param keys different from each other, in the order of their bytes, none empty or with a zero in it
 * @param values one of each, of at most 31 bits
 */
export function buildDoubleArray(keys: readonly Uint8Array[], values: readonly number[]): Uint32Array {
  const builder = new DoubleArrayBuilder();
  builder.build(new Automaton(keys, values).root());
  return builder.finish();
}

/** Makes the automaton. */
class Automaton {
  private readonly keys: readonly Uint8Array[];
  private readonly values: readonly number[];
  private readonly known = new Map<string, Children>();

  constructor(keys: readonly Uint8Array[], values: readonly number[]) {
    this.keys = keys;
    this.values = values;
  }

  root(): Children {
    return this.childrenOf(0, this.keys.length, 0);
  }

  /** The children of the node that keys `from` to `to` share, after `depth` bytes. */
  private childrenOf(from: number, to: number, depth: number): Children {
    const { keys, values } = this;
    const labels: number[] = [];
    const targets: (number | Children)[] = [];
    for (let start = from, end = from; start < to; start = end) {
      const label = keys[start][depth] ?? 0;
      while (end < to && (keys[end][depth] ?? 0) === label) end++;
      labels.push(label);
      targets.push(label === 0 ? values[start] : this.childrenOf(start, end, depth + 1));
    }
    const name = labels.map((label, i) => {
      const target = targets[i];
      return `${label}:${typeof target === 'number' ? target : target.id}`;
    });
    const found = this.known.get(name.join(' '));
    if (found !== undefined) {
      found.shared = true;
      return found;
    }
    const children = { labels, targets, id: this.known.size, shared: false, offset: 0 };
    this.known.set(name.join(' '), children);
    return children;
  }
}

/** Lays the nodes out. Free units make a ring, which begins at `head`. */
class DoubleArrayBuilder {
  private units: number[] = [];
  private head = 0;
  private readonly previous = new Uint32Array(OPEN);
  private readonly next = new Uint32Array(OPEN);
  /** Units that are taken, and offsets that are. */
  private readonly fixed = new Uint8Array(OPEN);
  private readonly used = new Uint8Array(OPEN);

  build(root: Children): void {
    this.reserve(0);
    this.used[0] = 1;
    this.setOffset(0, 1);
    this.put(root, 0);
  }

  finish(): Uint32Array {
    const blocks = this.units.length / BLOCK;
    for (let block = Math.max(0, blocks - OPEN / BLOCK); block < blocks; block++) this.close(block);
    return Uint32Array.from(this.units, (unit) => unit >>> 0);
  }

  /** Puts children below a unit: where they stand already if that can be said there, else in a new place. */
  private put(children: Children, id: number): void {
    const { labels, targets } = children;
    const relative = children.offset ^ id;
    if (children.offset !== 0 && ((relative & UPPER) === 0 || (relative & LOWER) === 0)) {
      if (labels[0] === 0) this.units[id] |= HAS_LEAF;
      this.setOffset(id, relative);
      return;
    }
    const offset = this.arrange(children, id);
    if (children.shared) children.offset = offset;
    targets.forEach((target, i) => {
      if (typeof target !== 'number') this.put(target, offset ^ labels[i]);
    });
  }

  private arrange({ labels, targets }: Children, id: number): number {
    const offset = this.findOffset(labels, id);
    this.setOffset(id, id ^ offset);
    labels.forEach((label, i) => {
      const child = offset ^ label;
      this.reserve(child);
      if (label === 0) {
        this.units[id] |= HAS_LEAF;
        this.units[child] = (targets[i] as number) | IS_LEAF;
      } else this.setLabel(child, label);
    });
    this.used[offset % OPEN] = 1;
    return offset;
  }

  private findOffset(labels: readonly number[], id: number): number {
    if (this.head < this.units.length) {
      let free = this.head;
      do {
        const offset = free ^ labels[0];
        if (this.fits(labels, id, offset)) return offset;
        free = this.next[free % OPEN];
      } while (free !== this.head);
    }
    return this.units.length | (id & LOWER);
  }

  private fits(labels: readonly number[], id: number, offset: number): boolean {
    if (this.used[offset % OPEN] === 1) return false;
    const relative = id ^ offset;
    if ((relative & LOWER) !== 0 && (relative & UPPER) !== 0) return false;
    return labels.every((label, i) => i === 0 || this.fixed[(offset ^ label) % OPEN] === 0);
  }

  /** Takes a unit out of the ring. */
  private reserve(id: number): void {
    if (id >= this.units.length) this.expand();
    const at = id % OPEN;
    if (id === this.head) {
      this.head = this.next[at];
      if (this.head === id) this.head = this.units.length;
    }
    this.next[this.previous[at] % OPEN] = this.next[at];
    this.previous[this.next[at] % OPEN] = this.previous[at];
    this.fixed[at] = 1;
  }

  /** Adds a block of free units to the end of the ring. */
  private expand(): void {
    const { previous, next } = this;
    const from = this.units.length;
    const to = from + BLOCK;
    if (to > OPEN) this.close((to - OPEN) / BLOCK - 1);
    for (let id = from; id < to; id++) {
      this.units.push(0);
      this.fixed[id % OPEN] = 0;
      this.used[id % OPEN] = 0;
      previous[id % OPEN] = id - 1;
      next[id % OPEN] = id + 1;
    }
    const { head } = this;
    const [first, last, start] = [from % OPEN, (to - 1) % OPEN, head % OPEN];
    previous[first] = to - 1; // where the ring is empty, the block is its start
    next[last] = from;
    previous[first] = previous[start];
    next[last] = head;
    next[previous[start] % OPEN] = from;
    previous[start] = to - 1;
  }

  /** Takes the free units of a block: their labels are such that nothing is found there. */
  private close(block: number): void {
    const from = block * BLOCK;
    let unused = 0;
    for (let offset = from; offset < from + BLOCK && unused === 0; offset++) {
      if (this.used[offset % OPEN] === 0) unused = offset;
    }
    for (let id = from; id < from + BLOCK; id++) {
      if (this.fixed[id % OPEN] === 1) continue;
      this.reserve(id);
      this.setLabel(id, (id ^ unused) & 0xff);
    }
  }

  private setLabel(id: number, label: number): void {
    this.units[id] = (this.units[id] & ~0xff) | label;
  }

  private setOffset(id: number, offset: number): void {
    const kept = this.units[id] & (IS_LEAF | HAS_LEAF | 0xff);
    this.units[id] = kept | (offset < 1 << 21 ? offset << 10 : (offset << 2) | (1 << 9));
  }
}
