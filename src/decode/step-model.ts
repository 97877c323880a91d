import type { Packed } from '../data/batch.js';

/** What the search asks of a model. A row is one live hypothesis. */
export interface StepModel {
  /** Entries of the target dictionary. */
  readonly vocabularySize: number;
  /** Tokens of a source as the greatest length of its translation counts them, where that is not the length of the ids. */
  sourceLength?(source: Int32Array): number;
  /** A batch that has no rows yet. */
  start(): StepState;
}

/** What may follow each row. */
export interface Continuations {
  /** The k most probable tokens of each row, best first, ties to the lower id, [rows · k]. */
  ids: Int32Array;
  /** Their natural log-probabilities, [rows · k]. */
  logProbs: Float32Array;
  /** The natural log-probability of `</s>`, [rows]. */
  endLogProbs: Float32Array;
}

/** The rows of one batch between two steps. */
export interface StepState {
  /** Encodes sentences that end in `</s>`. Each is one row, in their order behind those that are there. */
  add(sources: Packed): void;
  /**
   * Feeds one token to each row and asks what may follow.
   *
   * @param tokens the last token of each row, [rows]
   * @param k how many continuations to return for each row
   * @param forbid ids that are not returned; they keep their share of the probability
   */
  step(tokens: Int32Array, k: number, forbid: readonly number[]): Promise<Continuations>;
  /**
   * The other way to take a step: feeds one token to each row and asks for all of what may follow, in numbers that the
   * caller may change. Slower than `step`, for searches that change probabilities before they choose.
   *
   * @param tokens the last token of each row, [rows]
   * @returns natural log-probabilities, [rows · V]; −∞ for what a translation of the row's source may not have
   */
  distribution(tokens: Int32Array): Promise<Float32Array>;
  /**
   * Makes row i a copy of what row `rows[i]` was. Rows of one sentence stay together and sentences keep their
   * order; a sentence without rows is dropped.
   */
  select(rows: Int32Array): void;
  dispose(): void;
}
