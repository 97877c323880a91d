import { EOS, PAD, UNK } from '../../data/dictionary.js';
import { after, type Link, ranked } from '../hypothesis.js';
import type { SearchOptions } from '../search-options.js';
import type { Continuations, StepModel } from '../step-model.js';
import type { Asking } from './choice.js';

/** The best continuations, as the model itself finds them: nothing else of its probabilities is looked at. */
export function plainAsking({ vocabularySize }: StepModel, { beam, unk }: SearchOptions): Asking {
  const forbidden = unk === 'forbid' ? [PAD, UNK] : [PAD];
  // Where </s> is forbidden to a sentence, 2·beam − 1 others are as many as live on, and more.
  const k = Math.min(2 * beam, vocabularySize - forbidden.length);
  return async (state, tokens) => {
    const top = await state.step(tokens, k, forbidden);
    return ({ length, minLength, maxLength }, { live, width }, firstRow) => {
      const candidates =
        length < maxLength
          ? continuations(live, top, firstRow, k, length < minLength)
          : endings(live, top.endLogProbs.subarray(firstRow, firstRow + live.length));
      return candidates.slice(0, 2 * width);
    };
  };
}

/** Every continuation the model offered for the hypotheses of a sentence, best first; without `</s>` if it is too early. */
function continuations(
  live: readonly Link[],
  top: Continuations,
  firstRow: number,
  k: number,
  early: boolean,
): Link[] {
  const candidates: Link[] = [];
  live.forEach((parent, row) => {
    for (let i = (firstRow + row) * k; i < (firstRow + row + 1) * k; i++) {
      if (early && top.ids[i] === EOS) continue;
      candidates.push(after(parent, top.ids[i], top.logProbs[i]));
    }
  });
  return ranked(candidates);
}

/** `</s>` after each hypothesis of a sentence, best first. */
function endings(live: readonly Link[], logProbs: Float32Array): Link[] {
  return ranked(live.map((parent, row) => after(parent, EOS, logProbs[row])));
}
