import type { Rule } from './rule.js';

/** No sequence of `size` tokens comes twice. */
export function noRepeatNgram(size: number): Rule {
  return (logProbs, tokens) => {
    const start = tokens.length - size + 1; // of what the next token would end
    for (let i = 0; i < start; i++) {
      let same = 0;
      while (same < size - 1 && tokens[i + same] === tokens[start + same]) same++;
      if (same === size - 1) logProbs[tokens[i + same]] = Number.NEGATIVE_INFINITY;
    }
  };
}
