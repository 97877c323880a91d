import type { Rule } from './rule.js';

/** None of these sequences comes up: what would end one is forbidden. */
export function forbidPhrases(phrases: readonly (readonly number[])[]): Rule {
  return (logProbs, tokens) => {
    for (const phrase of phrases) {
      const start = tokens.length - phrase.length + 1;
      if (start < 0) continue;
      let same = 0;
      while (same < phrase.length - 1 && tokens[start + same] === phrase[same]) same++;
      if (same === phrase.length - 1) logProbs[phrase[same]] = Number.NEGATIVE_INFINITY;
    }
  };
}
