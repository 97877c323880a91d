import { EOS } from '../../data/dictionary.js';
import { notFinite } from '../dead-end.js';
import { type Link, tokensOf } from '../hypothesis.js';
import { rowsOf, type Sentence } from '../sentence.js';
import type { StepModel } from '../step-model.js';
import { best } from './best.js';
import type { Asking, Choice } from './choice.js';
import { constrained } from './constrained.js';
import { diverse } from './diverse.js';
import { neverChosen } from './never-chosen.js';
import { sampled } from './sampled.js';

/** Asks for whole distributions, changes them by the rules of each sentence, and lets a choice choose. */
export function ruledAsking({ vocabularySize }: StepModel): Asking {
  return async (state, tokens) => {
    const all = await state.distribution(tokens);
    return (sentence, group, firstRow) => {
      const rowAt = (row: number): Float32Array =>
        all.subarray((firstRow + row) * vocabularySize, (firstRow + row + 1) * vocabularySize);
      if (group === sentence.groups[0])
        for (const link of rowsOf(sentence)) applyRules(sentence, link, rowAt(link.row));
      return choiceOf(sentence)(sentence, group, (link) => rowAt(link.row));
    };
  };
}

function choiceOf({ phrases, how }: Sentence): Choice {
  const { sampling = false, diverseBeamGroups = 1, diverseBeamStrength = 0.5 } = how;
  if (phrases !== null) return constrained(phrases);
  if (sampling) return sampled(how);
  return diverseBeamGroups > 1 ? diverse(diverseBeamStrength) : best;
}

function applyRules(
  { rules, how, length, minLength, maxLength }: Sentence,
  link: Link,
  logProbs: Float32Array,
): void {
  if (Number.isNaN(logProbs[EOS])) throw notFinite();
  if (rules.length > 0) {
    const tokens = tokensOf(link);
    for (const rule of rules) rule(logProbs, tokens);
  }
  for (const id of neverChosen(how.unk)) logProbs[id] = Number.NEGATIVE_INFINITY;
  if (length >= maxLength) {
    const ending = logProbs[EOS];
    logProbs.fill(Number.NEGATIVE_INFINITY);
    logProbs[EOS] = ending;
  } else if (length < minLength) logProbs[EOS] = Number.NEGATIVE_INFINITY;
}
