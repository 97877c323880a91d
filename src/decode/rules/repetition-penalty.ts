import type { Rule } from './rule.js';

/**
 * The penalty of CTRL (Keskar et al., 2019) as beam searches have it, on log-probabilities: that of a token which is there
 * already is multiplied by it, once however often it is there.
 */
export function penalizeRepetition(penalty: number): Rule {
  return (logProbs, tokens) => {
    for (const id of new Set(tokens)) logProbs[id] *= penalty;
  };
}
