import { NgramTrie, ROOT } from './ngram-trie.js';

/** Counts the n-grams that a sequence of symbols (code points, or numbers that stand for words) shares with references. */
export class NgramMatcher {
  /** n-grams of the references. */
  private readonly trie = new NgramTrie();
  // of each node: how many of its n-grams of the references are not matched yet
  private counts = new Int32Array(0);
  // of each node: the last reference with its n-gram, and how often that one has it
  private lastReferences = new Int32Array(0);
  private lastCounts = new Int32Array(0);

  /**
   * The matches of each order 1 … `maxOrder`: n-grams of the hypothesis that are in a reference, each at most as
   * often as in the one that has most of it.
   */
  match(hypothesis: Int32Array, references: readonly Int32Array[], maxOrder: number): number[] {
    this.build(references, maxOrder);
    const { trie, counts } = this;
    const matches = new Array<number>(maxOrder).fill(0);
    const { length } = hypothesis;
    for (let start = 0; start < length; start++) {
      const longest = Math.min(maxOrder, length - start);
      let node = ROOT;
      for (let n = 0; n < longest; n++) {
        node = trie.find(node, hypothesis[start + n]);
        if (node === ROOT) break; // and no longer n-gram from here is in the reference either
        if (counts[node] > 0) {
          counts[node]--;
          matches[n]++;
        }
      }
    }
    return matches;
  }

  private build(references: readonly Int32Array[], maxOrder: number): void {
    const room = this.trie.clear(references, maxOrder);
    if (this.counts.length < room) {
      this.counts = new Int32Array(room);
      this.lastReferences = new Int32Array(room);
      this.lastCounts = new Int32Array(room);
    }
    for (let i = 0; i < references.length; i++) this.add(references[i], i, maxOrder);
  }

  private add(reference: Int32Array, index: number, maxOrder: number): void {
    const { length } = reference;
    const { trie, counts, lastReferences, lastCounts } = this;
    for (let start = 0; start < length; start++) {
      const longest = Math.min(maxOrder, length - start);
      let node = ROOT;
      for (let n = 0; n < longest; n++) {
        const known = trie.size;
        node = trie.add(node, reference[start + n]);
        if (node === known) {
          counts[node] = 0;
          lastReferences[node] = -1;
        }
        if (lastReferences[node] !== index) {
          lastReferences[node] = index;
          lastCounts[node] = 0;
        }
        const count = ++lastCounts[node];
        if (count > counts[node]) counts[node] = count;
      }
    }
  }
}
