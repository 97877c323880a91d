/** A token of a translation and the n-grams it stands in. */
export interface TokenMark {
  readonly text: string;
  /** Order of the longest n-gram around this token that matches a reference; 0 where none does. */
  readonly order: number;
  /** Order of the longest n-gram around this token that matches in this translation only; 0 where none does. */
  readonly only: number;
  /** The token itself, as an n-gram of order 1, matches in this translation only. */
  readonly alone: boolean;
}

/** The start of each n-gram's occurrences, in their order. */
type Occurrences = ReadonlyMap<string, readonly number[]>;

/**
 * For each token the order (0 … maxOrder) of the longest n-gram around it that matches a reference. Matches are
 * clipped as BLEU clips them: an n-gram matches at most as often as it is in the reference that has most of it,
 * and its first occurrences are those that match.
 */
export function matchedOrders(
  hypothesis: readonly string[],
  references: readonly (readonly string[])[],
  maxOrder = 4,
): number[] {
  const orders = zeros(hypothesis);
  for (let order = 1; order <= maxOrder; order++) {
    markMatched(orders, locateNgrams(hypothesis, order), mostOccurrences(references, order), order);
  }
  return orders;
}

/**
 * Marks the tokens of two translations of one segment: what matches a reference, and what does so in one of them
 * only. Where a translation has k matches of an n-gram more than the other, k of its occurrences are marked:
 * those that lie in most longer n-grams of that kind, so that a function word is marked where the translations
 * part and not at its last occurrence.
 */
export function markDifferences(
  a: readonly string[],
  b: readonly string[],
  references: readonly (readonly string[])[],
  maxOrder = 4,
): { a: TokenMark[]; b: TokenMark[] } {
  const sides = [a, b].map((tokens) => ({
    tokens,
    orders: zeros(tokens),
    only: zeros(tokens),
    // How many n-grams that match here only lie around each token.
    depth: zeros(tokens),
    alone: new Set<number>(),
  }));
  for (let order = maxOrder; order >= 1; order--) {
    const allowed = mostOccurrences(references, order);
    const located = sides.map(({ tokens }) => locateNgrams(tokens, order));
    for (const [i, { orders, only, depth, alone }] of sides.entries()) {
      markMatched(orders, located[i], allowed, order);
      for (const start of surplus(located[i], located[1 - i], allowed, order, depth)) {
        raise(only, start, order);
        for (let token = start; token < start + order; token++) depth[token]++;
        if (order === 1) alone.add(start);
      }
    }
  }
  const [markedA, markedB] = sides.map(({ tokens, orders, only, alone }) =>
    tokens.map((text, i) => ({ text, order: orders[i], only: only[i], alone: alone.has(i) })),
  );
  return { a: markedA, b: markedB };
}

/** Raises the order of each token in a matched n-gram to that n-gram's. */
function markMatched(
  orders: number[],
  located: Occurrences,
  allowed: ReadonlyMap<string, number>,
  order: number,
): void {
  for (const [ngram, starts] of located) {
    const matches = Math.min(starts.length, allowed.get(ngram) ?? 0);
    for (let i = 0; i < matches; i++) raise(orders, starts[i], order);
  }
}

function raise(values: number[], start: number, order: number): void {
  for (let i = start; i < start + order; i++) values[i] = Math.max(values[i], order);
}

function zeros(tokens: readonly string[]): number[] {
  return new Array<number>(tokens.length).fill(0);
}

/** Where the n-grams start whose matches the other translation has fewer of: as many as it has fewer. */
function surplus(
  here: Occurrences,
  there: Occurrences,
  allowed: ReadonlyMap<string, number>,
  order: number,
  depth: readonly number[],
): number[] {
  const chosen: number[] = [];
  for (const [ngram, starts] of here) {
    const most = allowed.get(ngram) ?? 0;
    if (most === 0) continue;
    const matched = starts.slice(0, most);
    const more = matched.length - Math.min(most, there.get(ngram)?.length ?? 0);
    const ranked = more > 0 && more < matched.length ? deepest(matched, order, depth) : matched;
    for (let i = 0; i < more; i++) chosen.push(ranked[i]);
  }
  return chosen;
}

/** Occurrences by how deep they lie in n-grams that are marked already; the first of equals first. */
function deepest(starts: readonly number[], order: number, depth: readonly number[]): number[] {
  const weighed = starts.map((start) => {
    const weight = depth.slice(start, start + order).reduce((sum, value) => sum + value, 0);
    return { start, weight };
  });
  return weighed.sort((x, y) => y.weight - x.weight || x.start - y.start).map(({ start }) => start);
}

/** How often each n-gram is in the reference that has most of it. */
function mostOccurrences(references: readonly (readonly string[])[], order: number): Map<string, number> {
  const most = new Map<string, number>();
  for (const reference of references) {
    for (const [ngram, { length }] of locateNgrams(reference, order)) {
      most.set(ngram, Math.max(length, most.get(ngram) ?? 0));
    }
  }
  return most;
}

/** Tokens hold no white space, so a space between them keeps n-grams apart. */
function locateNgrams(tokens: readonly string[], order: number): Map<string, number[]> {
  const located = new Map<string, number[]>();
  for (let start = 0; start + order <= tokens.length; start++) {
    const ngram = tokens.slice(start, start + order).join(' ');
    const starts = located.get(ngram);
    if (starts === undefined) located.set(ngram, [start]);
    else starts.push(start);
  }
  return located;
}
