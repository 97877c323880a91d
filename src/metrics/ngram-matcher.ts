/** Load of the hash table at most 1/2, so that probing stays short. */
const SLOTS_PER_NODE = 2;

/**
 * Counts the n-grams that a sequence of symbols (code points, or numbers that stand for words) shares with references.
 *
 * The n-grams of the references form a trie: the node of an n-gram is reached from that of its first n − 1 symbols by
 * its last one, so that all orders cost one step each and no n-gram is ever written out. The edges are kept in one hash
 * table. Its memory is used again for the next pair.
 */
export class NgramMatcher {
  /** Node at the end of the edge in each slot; 0, the root, marks a free one. */
  private slots = new Int32Array(0);
  /** Slots in use less one; their number is a power of two. */
  private lastSlot = 0;
  // of each node: the edge that leads to it, and how many of its n-grams of the references are not matched yet
  private parents = new Int32Array(0);
  private symbols = new Int32Array(0);
  private counts = new Int32Array(0);
  // of each node: the last reference with its n-gram, and how often that one has it
  private lastReferences = new Int32Array(0);
  private lastCounts = new Int32Array(0);
  private size = 1;

  /**
   * The matches of each order 1 … `maxOrder`: n-grams of the hypothesis that are in a reference, each at most as
   * often as in the one that has most of it.
   */
  match(hypothesis: Int32Array, references: readonly Int32Array[], maxOrder: number): number[] {
    this.build(references, maxOrder);
    const matches = new Array<number>(maxOrder).fill(0);
    const { length } = hypothesis;
    for (let start = 0; start < length; start++) {
      const longest = Math.min(maxOrder, length - start);
      let node = 0;
      for (let n = 0; n < longest; n++) {
        const symbol = hypothesis[start + n];
        node = this.slots[this.findSlot(node, symbol)];
        if (node === 0) break; // and no longer n-gram from here is in the reference either
        if (this.counts[node] > 0) {
          this.counts[node]--;
          matches[n]++;
        }
      }
    }
    return matches;
  }

  private build(references: readonly Int32Array[], maxOrder: number): void {
    this.clear(references.reduce((nodes, { length }) => nodes + length * Math.min(maxOrder, length), 1));
    for (let i = 0; i < references.length; i++) this.add(references[i], i, maxOrder);
  }

  private add(reference: Int32Array, index: number, maxOrder: number): void {
    const { length } = reference;
    const { counts, lastReferences, lastCounts } = this;
    for (let start = 0; start < length; start++) {
      const longest = Math.min(maxOrder, length - start);
      let node = 0;
      for (let n = 0; n < longest; n++) {
        node = this.addChild(node, reference[start + n]);
        if (lastReferences[node] !== index) {
          lastReferences[node] = index;
          lastCounts[node] = 0;
        }
        const count = ++lastCounts[node];
        if (count > counts[node]) counts[node] = count;
      }
    }
  }

  /** Makes room for `nodes` nodes; clears no more slots than these need, however long an earlier sequence was. */
  private clear(nodes: number): void {
    const slotCount = 2 ** Math.ceil(Math.log2(SLOTS_PER_NODE * nodes));
    this.lastSlot = slotCount - 1;
    if (this.slots.length < slotCount) {
      this.slots = new Int32Array(slotCount);
      this.parents = new Int32Array(slotCount / SLOTS_PER_NODE);
      this.symbols = new Int32Array(slotCount / SLOTS_PER_NODE);
      this.counts = new Int32Array(slotCount / SLOTS_PER_NODE);
      this.lastReferences = new Int32Array(slotCount / SLOTS_PER_NODE);
      this.lastCounts = new Int32Array(slotCount / SLOTS_PER_NODE);
    } else {
      this.slots.fill(0, 0, slotCount);
    }
    this.size = 1;
  }

  private addChild(parent: number, symbol: number): number {
    const slot = this.findSlot(parent, symbol);
    if (this.slots[slot] !== 0) return this.slots[slot];
    const node = this.size++;
    this.slots[slot] = node;
    this.parents[node] = parent;
    this.symbols[node] = symbol;
    this.counts[node] = 0;
    this.lastReferences[node] = -1;
    return node;
  }

  /** The slot of an edge, or the free one where it belongs. Linear probing from a multiplicative hash. */
  private findSlot(parent: number, symbol: number): number {
    const { slots, parents, symbols, lastSlot } = this;
    const hash = Math.imul(Math.imul(parent, 0x9e3779b1) + symbol, 0x85ebca6b);
    let slot = (hash ^ (hash >>> 15)) & lastSlot;
    for (;;) {
      const node = slots[slot];
      if (node === 0 || (parents[node] === parent && symbols[node] === symbol)) return slot;
      slot = (slot + 1) & lastSlot;
    }
  }
}
