import { NgramTrie, ROOT } from './ngram-trie.js';

/** The different n-grams of a sequence, and how often it has each; those of order n begin at `starts[n − 1]`. */
interface Profile {
  nodes: Int32Array;
  counts: Int32Array;
  starts: number[];
}

/** n-grams that sequences of symbols share pair by pair: those of each are counted once, however many it is compared with. */
export class NgramOverlaps {
  private readonly profiles: readonly Profile[];
  /** How often a sequence has each n-gram, by node; all 0 between two calls. */
  private readonly marked: Int32Array;
  private readonly maxOrder: number;

  constructor(sequences: readonly Int32Array[], maxOrder: number) {
    const trie = new NgramTrie();
    const room = trie.clear(sequences, maxOrder);
    this.maxOrder = maxOrder;
    this.marked = new Int32Array(room);
    this.profiles = sequences.map((sequence) => profileOf(sequence, maxOrder, trie, this.marked));
  }

  /**
   * What two sequences share: of each order 1 … `maxOrder` the n-grams of the one that are in the other, each at most as often as
   * there. It is the same the other way round.
   */
  shared(a: number, b: number): number[] {
    const { profiles, marked, maxOrder } = this;
    const [one, other] = [profiles[a], profiles[b]];
    for (let i = 0; i < one.nodes.length; i++) marked[one.nodes[i]] = one.counts[i];
    const matches: number[] = [];
    for (let n = 0; n < maxOrder; n++) {
      let sum = 0;
      for (let i = other.starts[n]; i < other.starts[n + 1]; i++)
        sum += Math.min(other.counts[i], marked[other.nodes[i]]);
      matches.push(sum);
    }
    for (const node of one.nodes) marked[node] = 0;
    return matches;
  }
}

function profileOf(sequence: Int32Array, maxOrder: number, trie: NgramTrie, marked: Int32Array): Profile {
  const { length } = sequence;
  const at = new Int32Array(length).fill(ROOT); // the n-gram that begins at each symbol
  const nodes: number[] = [];
  const starts = [0];
  for (let n = 0; n < maxOrder; n++) {
    for (let start = 0; start + n < length; start++) {
      const node = trie.add(at[start], sequence[start + n]);
      at[start] = node;
      if (marked[node]++ === 0) nodes.push(node);
    }
    starts.push(nodes.length);
  }
  const counts = Int32Array.from(nodes, (node) => marked[node]);
  for (const node of nodes) marked[node] = 0;
  return { nodes: Int32Array.from(nodes), counts, starts };
}
