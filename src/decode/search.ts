import { UserError } from '../common/errors.js';
import type { Packed } from '../data/batch.js';
import { EOS, PAD } from '../data/dictionary.js';

/** What the search asks of a model. A row is one live hypothesis; every row is equally long at every time. */
export interface StepModel {
  /** Entries of the target dictionary. */
  readonly vocabularySize: number;
  /** Encodes sentences that end in `</s>`; at the start there is one row for each sentence, in their order. */
  start(sources: Packed): StepState;
}

/** The rows of one batch between two steps. */
export interface StepState {
  /**
   * Feeds one token to each row and asks what may follow.
   *
   * @param tokens the last token of each row, [rows]
   * @param k how many continuations to return for each row
   * @param forbid ids that are not returned; they keep their share of the probability
   * @returns the k most probable continuations of each row, best first, ties to the lower id, and their natural
   *   log-probabilities, both [rows · k]
   */
  step(
    tokens: Int32Array,
    k: number,
    forbid: readonly number[],
  ): Promise<{ ids: Int32Array; logProbs: Float32Array }>;
  /** Natural log-probability of `</s>` as the next token of some rows, after a step; [rows.length]. */
  endLogProbs(rows: Int32Array): Promise<Float32Array>;
  /**
   * Makes row i a copy of what row `rows[i]` was. Rows of one sentence stay together and sentences keep their
   * order; a sentence without rows is dropped.
   */
  select(rows: Int32Array): void;
  dispose(): void;
}

export interface SearchOptions {
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
}

export interface Hypothesis {
  /** Target ids, ending in `</s>`. */
  tokens: number[];
  /** Natural log-probability of each token. */
  logProbs: number[];
  /** Σ log p. */
  total: number;
  /** Σ log p / length^lenpen. */
  score: number;
}

/** A live hypothesis, as a chain of its tokens from the last to the first. */
interface Link {
  token: number;
  logProb: number;
  total: number;
  parent: Link | null;
}

interface Sentence {
  maxLength: number;
  live: Link[];
  finished: Hypothesis[];
}

interface Candidate extends Link {
  /** Place of the parent among the sentence's live hypotheses. */
  beam: number;
}

/**
 * Beam search in the form of the official implementation (fairseq/sequence_generator.py): of the 2·beam best
 * continuations of a sentence's hypotheses, those among the first `beam` that are `</s>` finish a hypothesis, and
 * the first `beam` others live on. Hypotheses are compared by Σ log p while they grow; the length penalty only
 * ranks the finished ones. A sentence is done, and leaves the batch, when it has `beam` finished hypotheses or
 * has reached its greatest length, where `</s>` is forced. `beam: 1` is greedy search.
 *
 * Two things differ from the official code so that a translation does not depend on the sentences beside it: the
 * greatest length follows from the sentence's own length (there: from the longest in the batch), and equal scores
 * go to the better hypothesis, then to the lower id (there: undefined).
 *
 * @param sources sentences that end in `</s>`
 * @returns for each sentence its finished hypotheses (one to `beam`), best score first
 * @throws UserError when the model's probabilities are not finite
 */
export async function beamSearch(
  model: StepModel,
  sources: Packed,
  options: SearchOptions,
): Promise<Hypothesis[][]> {
  const beam = Math.min(options.beam, model.vocabularySize - 1);
  const sentences = Array.from({ length: sources.offsets.length - 1 }, (_, i) =>
    newSentence(sources.offsets[i + 1] - sources.offsets[i], options),
  );
  const state = model.start(sources);
  try {
    let open = sentences;
    for (let length = 0; open.length > 0; length++) {
      const forbid = length < options.minLen ? [PAD, EOS] : [PAD];
      const k = Math.min(2 * beam, model.vocabularySize - forbid.length);
      const top = await state.step(lastTokens(open), k, forbid);
      const rows: number[] = [];
      let firstRow = 0;
      for (const sentence of open) {
        const count = sentence.live.length;
        const candidates =
          length < sentence.maxLength
            ? continuations(sentence, top, firstRow, k)
            : endings(sentence, await state.endLogProbs(rowRange(firstRow, count)));
        const parents = advance(sentence, candidates.slice(0, 2 * beam), beam, length + 1, options.lenpen);
        for (const parent of parents) rows.push(firstRow + parent);
        firstRow += count;
      }
      open = open.filter(({ live }) => live.length > 0);
      if (open.length > 0) state.select(Int32Array.from(rows));
    }
  } finally {
    state.dispose();
  }
  return sentences.map(({ finished }) => finished.sort((a, b) => b.score - a.score));
}

function newSentence(sourceLength: number, options: SearchOptions): Sentence {
  const { maxLenA, maxLenB, maxPositions } = options;
  return {
    maxLength: Math.min(Math.floor(maxLenA * sourceLength + maxLenB), maxPositions - 1),
    live: [{ token: EOS, logProb: 0, total: 0, parent: null }],
    finished: [],
  };
}

function lastTokens(sentences: readonly Sentence[]): Int32Array {
  return Int32Array.from(sentences.flatMap(({ live }) => live.map(({ token }) => token)));
}

function rowRange(first: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => first + i);
}

/** Every continuation the model offered for the hypotheses of a sentence, best first. */
function continuations(
  { live }: Sentence,
  top: { ids: Int32Array; logProbs: Float32Array },
  firstRow: number,
  k: number,
): Candidate[] {
  const candidates: Candidate[] = [];
  live.forEach((parent, beam) => {
    for (let i = (firstRow + beam) * k; i < (firstRow + beam + 1) * k; i++) {
      candidates.push(candidate(parent, beam, top.ids[i], top.logProbs[i]));
    }
  });
  return ranked(candidates);
}

/** `</s>` after each hypothesis of a sentence, best first. */
function endings({ live }: Sentence, logProbs: Float32Array): Candidate[] {
  return ranked(live.map((parent, beam) => candidate(parent, beam, EOS, logProbs[beam])));
}

function candidate(parent: Link, beam: number, token: number, logProb: number): Candidate {
  return { token, logProb, total: parent.total + logProb, parent, beam };
}

/** The possible ones by falling total; ties to the better hypothesis (they are in order), then to the lower id. */
function ranked(candidates: Candidate[]): Candidate[] {
  return candidates
    .filter(({ total }) => Number.isFinite(total))
    .sort((a, b) => b.total - a.total || a.beam - b.beam || a.token - b.token);
}

/**
 * Takes a sentence one token further.
 *
 * @param candidates at most 2·beam, best first
 * @returns for each hypothesis that lives on, which of the former ones it continues
 */
function advance(
  sentence: Sentence,
  candidates: readonly Candidate[],
  beam: number,
  length: number,
  lenpen: number,
): number[] {
  for (const ended of candidates.slice(0, beam)) {
    if (ended.token === EOS && sentence.finished.length < beam) {
      sentence.finished.push(finish(ended, length, lenpen));
    }
  }
  const going = candidates.filter(({ token }) => token !== EOS).slice(0, beam);
  if (going.length === 0 && sentence.finished.length === 0) throw notFinite();
  const chosen = sentence.finished.length < beam ? going : [];
  sentence.live = chosen;
  return chosen.map((entry) => entry.beam);
}

function finish(last: Link, length: number, lenpen: number): Hypothesis {
  const tokens: number[] = [];
  const logProbs: number[] = [];
  for (let link = last; link.parent !== null; link = link.parent) {
    tokens.push(link.token);
    logProbs.push(link.logProb);
  }
  return {
    tokens: tokens.reverse(),
    logProbs: logProbs.reverse(),
    total: last.total,
    score: last.total / length ** lenpen,
  };
}

function notFinite(): UserError {
  return new UserError({
    problem: 'the model gives no finite probability to any continuation',
    hint: 'Its training has probably diverged; translate with an earlier checkpoint.',
  });
}
