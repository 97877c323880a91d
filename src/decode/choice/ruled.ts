import { EOS, PAD, UNK } from '../../data/dictionary.js';
import { notFinite } from '../dead-end.js';
import { type Link, tokensOf } from '../hypothesis.js';
import type { Preferences } from '../search-options.js';
import { rowsOf, type Sentence } from '../sentence.js';
import type { StepModel } from '../step-model.js';
import { best } from './best.js';
import type { Asking } from './choice.js';
import { constrained } from './constrained.js';
import { diverse } from './diverse.js';
import { sampled } from './sampled.js';

/** Asks for whole distributions, changes them by the rules of each sentence, and lets a choice choose. */
export function ruledAsking({ vocabularySize }: StepModel, options: Preferences): Asking {
  const { sampling = false, diverseBeamGroups = 1, diverseBeamStrength = 0.5, unk } = options;
  const forAll = sampling ? sampled(options) : diverseBeamGroups > 1 ? diverse(diverseBeamStrength) : best;
  const forbidden = unk === 'forbid' ? [PAD, UNK] : [PAD];
  return async (state, tokens) => {
    const all = await state.distribution(tokens);
    return (sentence, group, firstRow) => {
      const rowAt = (row: number): Float32Array =>
        all.subarray((firstRow + row) * vocabularySize, (firstRow + row + 1) * vocabularySize);
      if (group === sentence.groups[0])
        for (const link of rowsOf(sentence)) applyRules(sentence, link, rowAt(link.row), forbidden);
      const choose = sentence.phrases === null ? forAll : constrained(sentence.phrases);
      return choose(sentence, group, (link) => rowAt(link.row));
    };
  };
}

function applyRules(
  { rules, length, minLength, maxLength }: Sentence,
  link: Link,
  logProbs: Float32Array,
  forbidden: readonly number[],
): void {
  if (Number.isNaN(logProbs[EOS])) throw notFinite();
  if (rules.length > 0) {
    const tokens = tokensOf(link);
    for (const rule of rules) rule(logProbs, tokens);
  }
  for (const id of forbidden) logProbs[id] = Number.NEGATIVE_INFINITY;
  if (length >= maxLength) {
    const ending = logProbs[EOS];
    logProbs.fill(Number.NEGATIVE_INFINITY);
    logProbs[EOS] = ending;
  } else if (length < minLength) logProbs[EOS] = Number.NEGATIVE_INFINITY;
}
