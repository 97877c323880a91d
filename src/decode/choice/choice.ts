import type { Link } from '../hypothesis.js';
import type { Group, Sentence } from '../sentence.js';
import type { StepState } from '../step-model.js';

/**
 * What may become of the hypotheses of a group: at most twice as many as it is wide, best first. Groups of a sentence are
 * asked in their order, and each has chosen before the next is asked.
 *
 * @param firstRow the first row of the sentence in the batch
 */
export type Proposals = (sentence: Sentence, group: Group, firstRow: number) => Link[];

/** Takes a step: feeds the last tokens of a batch, [rows]. */
export type Asking = (state: StepState, tokens: Int32Array) => Promise<Proposals>;

/**
 * The same, of what the rules of the sentence leave.
 *
 * @param probabilities natural log-probabilities of what may follow a live hypothesis, [V]
 */
export type Choice = (
  sentence: Sentence,
  group: Group,
  probabilities: (link: Link) => Float32Array,
) => Link[];
