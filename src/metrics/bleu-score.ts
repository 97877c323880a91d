import { formatFixed } from './decimal.js';
import type { Score } from './metric.js';
import { exact, type Rounding } from './rounding.js';

/** What replaces the precision of an order without any match (Chen and Cherry, WMT 2014). */
export type SmoothMethod = 'none' | 'floor' | 'add-k' | 'exp';

/** The value each method takes when none is given; null: the method takes none. */
export const SMOOTH_DEFAULTS: Record<SmoothMethod, number | null> = {
  exp: null,
  floor: 0.1,
  'add-k': 1,
  none: null,
};

export interface BleuScore extends Score {
  readonly name: 'BLEU';
  /** Matched n-grams of each order, `add-k` included. */
  readonly counts: readonly number[];
  /** n-grams of the hypotheses of each order, `add-k` included. */
  readonly totals: readonly number[];
  /** In percent, smoothed. */
  readonly precisions: readonly number[];
  /** Brevity penalty. */
  readonly bp: number;
  /** Length of the hypotheses in tokens, over that of the references nearest in length. */
  readonly ratio: number;
  readonly sysLen: number;
  readonly refLen: number;
}

export interface BleuFormula {
  smoothMethod: SmoothMethod;
  /** For `floor` and `add-k`. */
  smoothValue: number;
  maxNgramOrder: number;
  /** Average only over the orders that the hypotheses have n-grams of. */
  effectiveOrder: boolean;
}

/**
 * BLEU (Papineni et al., 2002) of summed statistics: bp · exp(mean of log precisions), 0 when no n-gram of any
 * order matches.
 *
 * @param statistics hypothesis length, reference length, matches of each order, n-grams of each order
 */
export function computeBleu(statistics: ArrayLike<number>, formula: BleuFormula): BleuScore {
  const [sysLen, refLen, ...ngrams] = Array.from(statistics);
  const { maxNgramOrder, smoothMethod, smoothValue } = formula;
  const precisions = new Array<number>(maxNgramOrder).fill(0);
  const matched = fillPrecisions(statistics, formula, exact, precisions) > 0;
  const added = (value: number, n: number) =>
    matched && smoothMethod === 'add-k' && n > 0 ? value + smoothValue : value;
  return assemble(bleuValue(statistics, formula), {
    counts: ngrams.slice(0, maxNgramOrder).map(added),
    totals: ngrams.slice(maxNgramOrder).map(added),
    precisions,
    bp: brevityPenalty(sysLen, refLen),
    sysLen,
    refLen,
  });
}

/** The number alone: resampling asks for it ten thousand times. @param round see Rounding */
export function bleuValue(
  statistics: ArrayLike<number>,
  formula: BleuFormula,
  round: Rounding = exact,
): number {
  const precisions = PRECISIONS;
  const averaged = fillPrecisions(statistics, formula, round, precisions);
  if (averaged === 0) return 0;
  let logs = 0;
  for (let n = 0; n < averaged; n++) logs += flooredLog(precisions[n]);
  return brevityPenalty(statistics[0], statistics[1]) * Math.exp(logs / averaged);
}

/** Of the call under way. */
const PRECISIONS: number[] = [];

/** Smoothed precisions in percent. @returns how many orders are averaged; 0 where no n-gram matches */
function fillPrecisions(
  statistics: ArrayLike<number>,
  formula: BleuFormula,
  round: Rounding,
  precisions: number[],
): number {
  const { smoothMethod, smoothValue, maxNgramOrder, effectiveOrder } = formula;
  let matches = 0;
  for (let n = 0; n < maxNgramOrder; n++) {
    matches += statistics[2 + n];
    precisions[n] = 0;
  }
  if (matches === 0) return 0;
  let halvings = 1;
  let averaged = maxNgramOrder;
  for (let n = 0; n < maxNgramOrder; n++) {
    let count = statistics[2 + n];
    let total = statistics[2 + maxNgramOrder + n];
    if (smoothMethod === 'add-k' && n > 0) {
      count = round(count + round(smoothValue));
      total = round(total + round(smoothValue));
    }
    if (total === 0) break;
    if (effectiveOrder) averaged = n + 1;
    if (count !== 0) {
      precisions[n] = round(round(100 * count) / total);
    } else if (smoothMethod === 'exp') {
      halvings *= 2;
      precisions[n] = round(100 / round(halvings * total));
    } else if (smoothMethod === 'floor') {
      precisions[n] = round(round(100 * smoothValue) / total);
    }
  }
  return averaged;
}

function brevityPenalty(sysLen: number, refLen: number): number {
  if (sysLen >= refLen) return 1;
  return sysLen > 0 ? Math.exp(1 - refLen / sysLen) : 0;
}

/** Of a zero precision: so low that the score becomes 0, and still finite. */
function flooredLog(value: number): number {
  return value === 0 ? -9999999999 : Math.log(value);
}

function assemble(score: number, parts: Omit<BleuScore, keyof Score | 'ratio'>): BleuScore {
  const { precisions, bp, sysLen, refLen } = parts;
  const ratio = refLen === 0 ? 0 : sysLen / refLen;
  return {
    name: 'BLEU',
    score,
    // On demand: resampling makes thousands of scores, and prints none of them.
    get verbose() {
      const percentages = precisions.map((precision) => formatFixed(precision, 1)).join('/');
      return `${percentages} (BP = ${formatFixed(bp, 3)} ratio = ${formatFixed(ratio, 3)} hyp_len = ${sysLen} ref_len = ${refLen})`;
    },
    ...parts,
    ratio,
  };
}
