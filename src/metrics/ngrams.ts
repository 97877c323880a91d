import type { NgramMatcher } from './ngram-matcher.js';
import { numberWords } from './word-numbers.js';

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

/** Compares a tokenized hypothesis with its tokenized references (at least one). @param matcher lends its memory */
export function matchNgrams(
  hypothesis: readonly string[],
  references: readonly (readonly string[])[],
  maxOrder: number,
  matcher: NgramMatcher,
): NgramMatches {
  const { length } = hypothesis;
  const known = new Map<string, number>();
  const correct = matcher.match(
    numberWords(hypothesis, known),
    references.map((reference) => numberWords(reference, known)),
    maxOrder,
  );
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

function closestLength(length: number, candidates: readonly number[]): number {
  let closest = candidates[0];
  for (const candidate of candidates) {
    const nearer = Math.abs(candidate - length) - Math.abs(closest - length);
    if (nearer < 0 || (nearer === 0 && candidate < closest)) closest = candidate;
  }
  return closest;
}
