import { BLEU } from '../metrics/bleu.js';
import { CHRF } from '../metrics/chrf.js';
import type { TranslatedHypothesis } from './translation-format.js';

/** How alike two translations are: chrF2 or sentence BLEU of the one where the other is the reference. */
export type Utility = 'chrf' | 'bleu';

/**
 * Minimum Bayes risk (Kumar and Byrne, 2004; Eikema and Aziz, 2020): of several translations of a sentence the best is the one
 * that is most like all of them, by what they are worth.
 */
export class MinimumRisk {
  private readonly scorePairs: (texts: readonly string[]) => Float64Array[];
  private readonly sampled: boolean;

  /**
   * @param targetLang for the tokenizer of BLEU
   * @param sampled whether translations were drawn: then each is worth the same, since the probable ones come often; those
   *   that a search has found are worth the probability that they have among themselves
   */
  constructor(utility: Utility, targetLang: string, sampled: boolean) {
    const metric = utility === 'chrf' ? new CHRF() : new BLEU({ targetLang });
    this.scorePairs = (texts) => metric.scorePairs(texts);
    this.sampled = sampled;
  }

  /** The hypotheses with their utilities, the highest first; of equal ones, the more probable. */
  ranked(hypotheses: readonly TranslatedHypothesis[]): TranslatedHypothesis[] {
    const weights = this.sampled ? hypotheses.map(() => 1) : sharesOf(hypotheses);
    const texts = [...new Set(hypotheses.map(({ text }) => text))];
    const places = hypotheses.map(({ text }) => texts.indexOf(text));
    const utilities = expectedUtilities(this.scorePairs(texts), places, weights);
    return hypotheses
      .map((hypothesis, i) => ({ ...hypothesis, utility: utilities[places[i]] }))
      .sort((a, b) => b.utility - a.utility || b.total - a.total);
  }
}

/** The probabilities of hypotheses, by the largest. */
function sharesOf(hypotheses: readonly TranslatedHypothesis[]): number[] {
  const most = hypotheses.reduce((a, { total }) => Math.max(a, total), Number.NEGATIVE_INFINITY);
  return hypotheses.map(({ total }) => Math.exp(total - most));
}

/**
 * Σ weight · utility / Σ weight of each text.
 *
 * @param scores `[hypothesis][reference]` of the texts
 * @param places which text each hypothesis has
 */
function expectedUtilities(
  scores: readonly Float64Array[],
  places: readonly number[],
  weights: readonly number[],
): number[] {
  const worth = new Float64Array(scores.length);
  places.forEach((place, i) => {
    worth[place] += weights[i];
  });
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return scores.map((row) => row.reduce((sum, score, i) => sum + score * worth[i], 0) / all);
}
