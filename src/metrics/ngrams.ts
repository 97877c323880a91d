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
  const matches: NgramMatches = {
    hypothesisLength: hypothesis.length,
    referenceLength: closestLength(
      hypothesis.length,
      references.map((reference) => reference.length),
    ),
    correct: [],
    total: [],
  };
  for (let order = 1; order <= maxOrder; order++) {
    matches.total.push(Math.max(0, hypothesis.length - order + 1));
    matches.correct.push(countCorrect(hypothesis, references, order));
  }
  return matches;
}

function countCorrect(
  hypothesis: readonly string[],
  references: readonly (readonly string[])[],
  order: number,
): number {
  const found = countNgrams(hypothesis, order);
  if (found.size === 0) return 0;
  const allowed = references.map((reference) => countNgrams(reference, order));
  let correct = 0;
  for (const [ngram, count] of found) {
    const most = Math.max(...allowed.map((counts) => counts.get(ngram) ?? 0));
    correct += Math.min(count, most);
  }
  return correct;
}

/** Tokens hold no white space, so a space between them keeps n-grams apart. */
function countNgrams(tokens: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let end = order; end <= tokens.length; end++) {
    const ngram = order === 1 ? tokens[end - 1] : tokens.slice(end - order, end).join(' ');
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}

function closestLength(length: number, candidates: readonly number[]): number {
  let closest = candidates[0];
  for (const candidate of candidates) {
    const nearer = Math.abs(candidate - length) - Math.abs(closest - length);
    if (nearer < 0 || (nearer === 0 && candidate < closest)) closest = candidate;
  }
  return closest;
}
