import type { Score } from './metric.js';
import { exact, type Rounding } from './rounding.js';

export interface ChrfScore extends Score {
  readonly charOrder: number;
  readonly wordOrder: number;
  readonly beta: number;
}

export interface ChrfFormula {
  charOrder: number;
  wordOrder: number;
  /** How many times more recall counts than precision. */
  beta: number;
  /** Every order counts, those without n-grams by an epsilon; otherwise only orders that both sides have n-grams of. */
  epsSmoothing: boolean;
}

const EPSILON = 1e-16;

/** `chrF2`, `chrF2++`, …: the figure is beta, and a plus stands for each order of word n-grams. */
export function chrfName({ beta, wordOrder }: ChrfFormula): string {
  return `chrF${beta}${'+'.repeat(wordOrder)}`;
}

/**
 * chrF (Popović, 2015) and chrF++ (Popović, 2017) of summed statistics: the F-score of the n-gram precision and recall
 * averaged over the orders, or with epsilon smoothing the average of the F-scores of the orders. In percent.
 *
 * @param statistics of each order, characters before words: n-grams of the hypothesis, of the reference, and matches
 */
export function computeChrf(
  statistics: ArrayLike<number>,
  formula: ChrfFormula,
  round: Rounding = exact,
): number {
  return formula.epsSmoothing
    ? averageOfScores(statistics, formula, round)
    : scoreOfAverages(statistics, formula, round);
}

function averageOfScores(statistics: ArrayLike<number>, formula: ChrfFormula, round: Rounding): number {
  const orders = formula.charOrder + formula.wordOrder;
  let sum = 0;
  // What comes of the epsilon alone is Python's own number, a double; the sum is one until it meets one of numpy's.
  let rounding = exact;
  for (let n = 0; n < orders; n++) {
    const hypothesis = statistics[3 * n];
    const reference = statistics[3 * n + 1];
    const match = statistics[3 * n + 2];
    const ownRounding = hypothesis > 0 || reference > 0 ? round : exact;
    const precision = hypothesis > 0 ? round(match / hypothesis) : EPSILON;
    const recall = reference > 0 ? round(match / reference) : EPSILON;
    const score = fScore(precision, recall, formula.beta, ownRounding);
    if (score !== undefined && ownRounding === round) rounding = round;
    sum = rounding(rounding(sum) + rounding(score ?? EPSILON));
  }
  return rounding(rounding(100 * sum) / orders);
}

function scoreOfAverages(statistics: ArrayLike<number>, formula: ChrfFormula, round: Rounding): number {
  const orders = formula.charOrder + formula.wordOrder;
  let precision = 0;
  let recall = 0;
  let effectiveOrders = 0;
  for (let n = 0; n < orders; n++) {
    const hypothesis = statistics[3 * n];
    const reference = statistics[3 * n + 1];
    const match = statistics[3 * n + 2];
    if (!(hypothesis > 0 && reference > 0)) continue;
    precision = round(precision + round(match / hypothesis));
    recall = round(recall + round(match / reference));
    effectiveOrders++;
  }
  if (precision + recall === 0) return 0;
  const score = fScore(
    round(precision / effectiveOrders),
    round(recall / effectiveOrders),
    formula.beta,
    round,
  );
  return round(100 * (score ?? 0));
}

/** (1 + β²) · precision · recall / (β² · precision + recall); undefined where that divides by zero. */
function fScore(precision: number, recall: number, beta: number, round: Rounding): number | undefined {
  const factor = beta ** 2;
  const denominator = round(round(factor * precision) + recall);
  if (denominator === 0) return undefined;
  return round(round(round((1 + factor) * precision) * recall) / denominator);
}
