/** Load of the hash table at most 1/2, so that probing stays short. */
const SLOTS_PER_NODE = 2;

/** Begins every n-gram. */
export const ROOT = 0;

/**
 * n-grams of sequences of symbols (code points, or numbers that stand for words) as nodes, which count from 1: that of an n-gram is
 * reached from the one of its first n − 1 symbols by its last symbol, so that all orders cost one step each and no n-gram is
 * ever written out. The edges are kept in one hash table, whose memory is used again.
 */
export class NgramTrie {
  /** Node at the end of the edge in each slot; 0, the root, marks a free one. */
  private slots = new Int32Array(0);
  /** Slots in use less one; their number is a power of two. */
  private lastSlot = 0;
  // of each node: the edge that leads to it
  private parents = new Int32Array(0);
  private symbols = new Int32Array(0);
  /** Nodes, the root included. */
  size = 1;

  /**
   * Forgets all n-grams and makes room for those of sequences; clears no more slots than these need, however long earlier
   * ones were.
   *
   * @returns the most nodes that there is room for
   */
  clear(sequences: readonly Int32Array[], maxOrder: number): number {
    const nodes = sequences.reduce((sum, { length }) => sum + length * Math.min(maxOrder, length), 1);
    const slotCount = 2 ** Math.ceil(Math.log2(SLOTS_PER_NODE * nodes));
    this.lastSlot = slotCount - 1;
    if (this.slots.length < slotCount) {
      this.slots = new Int32Array(slotCount);
      this.parents = new Int32Array(slotCount / SLOTS_PER_NODE);
      this.symbols = new Int32Array(slotCount / SLOTS_PER_NODE);
    } else {
      this.slots.fill(0, 0, slotCount);
    }
    this.size = 1;
    return this.slots.length / SLOTS_PER_NODE;
  }

  /** The node of an n-gram with a symbol more; the root where there is none. */
  find(parent: number, symbol: number): number {
    return this.slots[this.findSlot(parent, symbol)];
  }

  /** The same; where there is none it is made, the next by number. */
  add(parent: number, symbol: number): number {
    const slot = this.findSlot(parent, symbol);
    if (this.slots[slot] !== ROOT) return this.slots[slot];
    const node = this.size++;
    this.slots[slot] = node;
    this.parents[node] = parent;
    this.symbols[node] = symbol;
    return node;
  }

  /** The slot of an edge, or the free one where it belongs. Linear probing from a multiplicative hash. */
  private findSlot(parent: number, symbol: number): number {
    const { slots, parents, symbols, lastSlot } = this;
    const hash = Math.imul(Math.imul(parent, 0x9e3779b1) + symbol, 0x85ebca6b);
    let slot = (hash ^ (hash >>> 15)) & lastSlot;
    for (;;) {
      const node = slots[slot];
      if (node === ROOT || (parents[node] === parent && symbols[node] === symbol)) return slot;
      slot = (slot + 1) & lastSlot;
    }
  }
}
