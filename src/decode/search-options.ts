import type { BatchLimits } from './length-batches.js';

/**
 * What is wished of one translation beside what is asked of all: plain data in target ids, which threads can be given.
 */
export interface Wishes {
  /** Place of its line in the input, from 0: what samples are drawn by, and errors name. */
  readonly line: number;
  /** What the translation begins with. */
  readonly prefix?: readonly number[];
  /** Phrases that it must have. */
  readonly required?: readonly (readonly number[])[];
  /** Sequences that it must not have. */
  readonly forbidden?: readonly (readonly number[])[];
  /** Least and most tokens, without `</s>`; in place of those of all. */
  readonly minLen?: number;
  readonly maxLen?: number;
  /** How it is searched, in place of how all are: what `Preferences` has, and `beam`. */
  readonly how?: Partial<SearchOptions>;
}

/** What is asked of all translations of a search, beyond a plain beam. */
export interface Preferences {
  /** Whether `<unk>` may be chosen; what replaces it looks at a translation that is found. */
  unk?: 'keep' | 'forbid' | 'replace';
  /** No sequence of so many tokens comes twice in a translation; 0 allows all. */
  noRepeatNgramSize?: number;
  /** Log-probabilities of tokens that are there already are multiplied by this. */
  repetitionPenalty?: number;
  /** The order of the phrases that a translation must have; any order unless it is `ordered`. */
  constraints?: 'ordered' | 'unordered' | null;
  /** Beams of beam / groups side by side, each of which shuns what those before it have chosen. */
  diverseBeamGroups?: number;
  /** What it costs to choose as an earlier group did, in nats. */
  diverseBeamStrength?: number;
  /** Whether `beam` translations are drawn at random, independently, in place of a search for the best. */
  sampling?: boolean;
  /** Among so many of the best tokens; null is all. */
  samplingTopk?: number | null;
  /** Among the fewest of the best tokens that have this much of the probability; null is all. */
  samplingTopp?: number | null;
  temperature?: number;
  seed?: number;
}

/** Whether a plain beam search finds what is asked of all: it needs the best continuations of a row alone. */
export function isPlain(preferences: Preferences): boolean {
  const {
    noRepeatNgramSize = 0,
    repetitionPenalty = 1,
    diverseBeamGroups = 1,
    sampling = false,
  } = preferences;
  return noRepeatNgramSize === 0 && repetitionPenalty === 1 && diverseBeamGroups === 1 && !sampling;
}

/** Whether a plain beam search finds what is wished of a translation, too. */
export function needsRules({ prefix = [], required = [], forbidden = [] }: Wishes): boolean {
  return prefix.length + required.length + forbidden.length > 0;
}

export interface SearchOptions extends Preferences {
  beam: number;
  /** The score of a translation is Σ log p / length^lenpen, `</s>` counted. */
  lenpen: number;
  /** A translation has at most min(⌊maxLenA · source length + maxLenB⌋, maxPositions − 1) tokens, without `</s>`. */
  maxLenA: number;
  maxLenB: number;
  /** Least tokens of a translation, without `</s>`. */
  minLen: number;
  /** Longest decoder input of the model. */
  maxPositions: number;
  /** Whether the model writes from the last token to the first; wishes and what is found are in the order of the text. */
  rightToLeft?: boolean;
}

/** Those of a plain beam: a config may ask for more, which is for `translate`. */
export function plainBeam(options: SearchOptions & BatchLimits): SearchOptions & BatchLimits {
  const { beam, lenpen, maxLenA, maxLenB, minLen, maxPositions, rightToLeft, maxTokens, batchSize } = options;
  return { beam, lenpen, maxLenA, maxLenB, minLen, maxPositions, rightToLeft, maxTokens, batchSize };
}

/** Those of an object that may have more, which might not reach a thread. */
export function searchOptions(options: SearchOptions): SearchOptions {
  const { beam, lenpen, maxLenA, maxLenB, minLen, maxPositions, rightToLeft, unk } = options;
  const { noRepeatNgramSize, repetitionPenalty, constraints, diverseBeamGroups, diverseBeamStrength } =
    options;
  const { sampling, samplingTopk, samplingTopp, temperature, seed } = options;
  return {
    ...{ beam, lenpen, maxLenA, maxLenB, minLen, maxPositions, rightToLeft, unk },
    ...{ noRepeatNgramSize, repetitionPenalty, constraints, diverseBeamGroups, diverseBeamStrength },
    ...{ sampling, samplingTopk, samplingTopp, temperature, seed },
  };
}

/** Most tokens of a translation, without `</s>`. */
export function greatestLength(
  { maxLenA, maxLenB, maxPositions }: Pick<SearchOptions, 'maxLenA' | 'maxLenB' | 'maxPositions'>,
  sourceLength: number,
  wishes?: Wishes,
): number {
  return Math.min(wishes?.maxLen ?? Math.floor(maxLenA * sourceLength + maxLenB), maxPositions - 1);
}
