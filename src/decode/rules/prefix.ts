import type { Rule } from './rule.js';

/** A translation begins with these tokens; they have the probability that the model gives them. */
export function forcePrefix(prefix: readonly number[]): Rule {
  return (logProbs, tokens) => {
    const next = prefix[tokens.length];
    if (next === undefined) return;
    const own = logProbs[next];
    logProbs.fill(Number.NEGATIVE_INFINITY);
    logProbs[next] = own;
  };
}
