/** What BLEU counts of one segment: lengths in tokens, and n-grams of each order 1 … maxOrder. */
export interface NgramMatches {
  hypothesisLength: number;
  /** Length of the reference nearest in length, the shorter one of two equally near. */
  referenceLength: number;
  /** n-grams of the hypothesis that are in a reference, each at most as often as in the one that has most of it. */
  correct: number[];
  /** n-grams of the hypothesis. */
  total: number[];
}

/** Compares a tokenized hypothesis with its tokenized references (at least one). */
export function matchNgrams(
  hypothesis: readonly string[],
  references: readonly (readonly string[])[],
  maxOrder: number,
): NgramMatches {
  const { length } = hypothesis;
  const correct = new Array<number>(maxOrder).fill(0);
  const known = new ReferenceNgrams(references, maxOrder);
  for (let start = 0; start < length; start++) known.claim(hypothesis, start, correct);
  return {
    hypothesisLength: length,
    referenceLength: closestLength(
      length,
      references.map((reference) => reference.length),
    ),
    correct,
    total: correct.map((_, i) => Math.max(0, length - i)),
  };
}

/**
 * The n-grams of some references as a trie: the child of an n-gram by a token is the n-gram that is one token
 * longer. Numbers stand for tokens and n-grams, so that no n-gram is ever written out; the root is 0.
 */
class ReferenceNgrams {
  private readonly tokens = new Map<string, number>();
  /** For n-grams of each length from 0: their children, by n-gram · number of tokens + next token. */
  private readonly children: Map<number, number>[];
  /** By n-gram: how often a hypothesis may still have it. At first that is its largest count in a reference. */
  private readonly allowed: number[] = [0];
  /** By n-gram: its count in the reference that is being added. */
  private readonly counts: number[] = [0];

  constructor(references: readonly (readonly string[])[], maxOrder: number) {
    this.children = Array.from({ length: maxOrder }, () => new Map());
    const numbered = references.map((reference) => reference.map((token) => this.numberOf(token)));
    for (const reference of numbered) this.add(reference, maxOrder);
  }

  /** Counts the n-grams that begin at `start` where a reference has them still to give: order n in correct[n - 1]. */
  claim(hypothesis: readonly string[], start: number, correct: number[]): void {
    let ngram = 0;
    const end = Math.min(hypothesis.length, start + correct.length);
    for (let i = start; i < end; i++) {
      const token = this.tokens.get(hypothesis[i]);
      const child =
        token === undefined ? undefined : this.children[i - start].get(ngram * this.tokens.size + token);
      if (child === undefined) return; // no longer n-gram is in a reference either
      ngram = child;
      if (this.allowed[ngram] > 0) {
        this.allowed[ngram]--;
        correct[i - start]++;
      }
    }
  }

  private add(reference: readonly number[], maxOrder: number): void {
    this.counts.fill(0);
    for (let start = 0; start < reference.length; start++) {
      let ngram = 0;
      const end = Math.min(reference.length, start + maxOrder);
      for (let i = start; i < end; i++) {
        ngram = this.childOf(ngram, reference[i], i - start);
        const count = ++this.counts[ngram];
        if (count > this.allowed[ngram]) this.allowed[ngram] = count;
      }
    }
  }

  private numberOf(token: string): number {
    let number = this.tokens.get(token);
    if (number === undefined) {
      number = this.tokens.size;
      this.tokens.set(token, number);
    }
    return number;
  }

  private childOf(ngram: number, token: number, length: number): number {
    const key = ngram * this.tokens.size + token;
    let child = this.children[length].get(key);
    if (child === undefined) {
      child = this.allowed.length;
      this.children[length].set(key, child);
      this.allowed.push(0);
      this.counts.push(0);
    }
    return child;
  }
}

function closestLength(length: number, candidates: readonly number[]): number {
  let closest = candidates[0];
  for (const candidate of candidates) {
    const nearer = Math.abs(candidate - length) - Math.abs(closest - length);
    if (nearer < 0 || (nearer === 0 && candidate < closest)) closest = candidate;
  }
  return closest;
}
