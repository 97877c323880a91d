import type { Preferences, Wishes } from '../search-options.js';
import { forbidPhrases } from './forbidden-phrases.js';
import { noRepeatNgram } from './no-repeat-ngram.js';
import { forcePrefix } from './prefix.js';
import { penalizeRepetition } from './repetition-penalty.js';
import type { Rule } from './rule.js';

/** The rules of a sentence, in their order: what forbids comes last, so that nothing brings it back. */
export function rulesOf(
  { noRepeatNgramSize = 0, repetitionPenalty = 1 }: Preferences,
  { prefix = [], forbidden = [] }: Partial<Wishes>,
): Rule[] {
  const rules: Rule[] = [];
  if (repetitionPenalty !== 1) rules.push(penalizeRepetition(repetitionPenalty));
  if (noRepeatNgramSize > 0) rules.push(noRepeatNgram(noRepeatNgramSize));
  if (forbidden.length > 0) rules.push(forbidPhrases(forbidden));
  if (prefix.length === 0) return rules;
  // Within the prefix it alone holds: what is given is not to be found fault with.
  const force = forcePrefix(prefix);
  return [
    (logProbs, tokens) => {
      if (tokens.length < prefix.length) force(logProbs, tokens);
      else for (const rule of rules) rule(logProbs, tokens);
    },
  ];
}
