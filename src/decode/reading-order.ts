import { batchBackwards } from '../data/right-to-left.js';
import type { ForcedAttention } from './alignment/attention.js';
import type { ForcedLogProbs } from './forced-scores.js';
import type { Hypothesis } from './hypothesis.js';
import type { Wishes } from './search-options.js';

/*
 * A model that writes from right to left (`model.right-to-left`) is asked, and answers, from the last
 * token to the first. What is outside of it reads: tokens, log-probabilities and rows of attention come in the order of the
 * text, and `</s>`, which such a model writes after the first word, is the last of all the same.
 */

/** All but the last, from the end. */
const turned = <T>(list: readonly T[]): T[] => [...list.slice(0, -1).reverse(), ...list.slice(-1)];

/** What a search from right to left has found, as it is read. */
export function hypothesisAsRead(hypothesis: Hypothesis): Hypothesis {
  const { tokens, logProbs } = hypothesis;
  return { ...hypothesis, tokens: turned(tokens), logProbs: turned(logProbs) };
}

/** What is wished of a translation, for a search from right to left; there is no prefix, see `readWishes`. */
export function wishesBackwards(wishes: Wishes): Wishes {
  const turn = (phrases: Wishes['required']) => phrases?.map((ids) => ids.toReversed());
  return { ...wishes, required: turn(wishes.required)?.reverse(), forbidden: turn(wishes.forbidden) };
}

/** Log-probabilities of targets that a model reads from right to left. */
export function logProbsAsRead(logProbs: ForcedLogProbs): ForcedLogProbs {
  return async (batch) => {
    const found = await logProbs(batchBackwards(batch));
    const { offsets } = batch.targetInput;
    for (let i = 0; i + 1 < offsets.length; i++) found.subarray(offsets[i], offsets[i + 1] - 1).reverse();
    return found;
  };
}

/** What the tokens of targets attend to that a model reads from right to left. */
export function attentionAsRead(attention: ForcedAttention): ForcedAttention {
  return async (batch) => {
    const found = await attention(batchBackwards(batch));
    return found.map((matrix) => {
      const { rows, columns, weights } = matrix;
      const turnedWeights = weights.slice();
      for (let row = 0; row + 1 < rows; row++) {
        const from = (rows - 2 - row) * columns;
        turnedWeights.set(weights.subarray(from, from + columns), row * columns);
      }
      return { ...matrix, weights: turnedWeights };
    });
  };
}
