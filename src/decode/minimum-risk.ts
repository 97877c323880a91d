import { BLEU } from '../metrics/bleu.js';
import { CHRF } from '../metrics/chrf.js';
import type { TranslatedHypothesis } from './translation-format.js';

/** How alike two translations are: chrF2 or sentence BLEU of the one where the other is the reference. */
export type Utility = 'chrf' | 'bleu';

/**
 * Minimum Bayes risk (Kumar and Byrne, 2004; Eikema and Aziz, 2020): of several translations of a sentence the best is the one
 * that is most like all of them. Each counts alike: of samples the probable ones come often, and among those that a search has found
 * the sums of probabilities would favour the short ones (docs/log.md).
 */
export class MinimumRisk {
  private readonly scorePairs: (texts: readonly string[]) => Float64Array[];

  /** @param targetLang for the tokenizer of BLEU */
  constructor(utility: Utility, targetLang: string) {
    const metric = utility === 'chrf' ? new CHRF() : new BLEU({ targetLang });
    this.scorePairs = (texts) => metric.scorePairs(texts);
  }

  /** The utility of each hypothesis, from 0 to 100: the same in any order of them, to the last bit. */
  utilities(hypotheses: readonly string[]): number[] {
    const texts = [...new Set(hypotheses)].sort(); // sums depend on the order
    const placeOf = new Map(texts.map((text, place) => [text, place]));
    const places = hypotheses.map((text) => placeOf.get(text)!);
    const utilities = expectedUtilities(this.scorePairs(texts), places);
    return places.map((place) => utilities[place]);
  }

  /** The hypotheses with their utilities, the highest first; of equal ones, the more probable. */
  ranked(hypotheses: readonly TranslatedHypothesis[]): TranslatedHypothesis[] {
    const utilities = this.utilities(hypotheses.map(({ text }) => text));
    return hypotheses
      .map((hypothesis, i) => ({ ...hypothesis, utility: utilities[i] }))
      .sort((a, b) => b.utility - a.utility || b.total - a.total);
  }
}

/**
 * The mean utility of each text, where each hypothesis is the reference.
 *
 * @param scores `[hypothesis][reference]` of the texts
 * @param places which text each hypothesis has
 */
function expectedUtilities(scores: readonly Float64Array[], places: readonly number[]): number[] {
  const counts = new Float64Array(scores.length);
  for (const place of places) counts[place]++;
  return scores.map((row) => row.reduce((sum, score, i) => sum + score * counts[i], 0) / places.length);
}
