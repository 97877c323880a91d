import { setImmediate } from 'node:timers/promises';
import { UserError } from '../common/errors.js';
import { type Packed, pack } from '../data/batch.js';
import { EOS, PAD } from '../data/dictionary.js';
import type { BatchLimits } from './length-batches.js';
import type { Continuations, StepModel, StepState } from './step-model.js';

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
  /** Its place among all that were taken in. */
  place: number;
  sourceLength: number;
  maxLength: number;
  /** Tokens of each live hypothesis. */
  length: number;
  live: Link[];
  finished: Hypothesis[];
}

interface Candidate extends Link {
  /** Place of the parent among the sentence's live hypotheses. */
  beam: number;
}

/** Room in a batch that has sentences already. */
export interface Room extends BatchLimits {
  /** Whether it has none, so that there is room for one sentence however long it is. */
  empty: boolean;
}

/** The next sentences to translate, ending in `</s>`, as far as there is room; none when there are no more of them. */
export type Supply = (room: Room) => readonly Int32Array[] | Promise<readonly Int32Array[]>;

/** Share of a batch that has to be free before further sentences are taken in: one by one they would be slow to encode. */
const REFILL = 1 / 4;

/**
 * Beam search in the form of the official implementation (fairseq/sequence_generator.py): of the 2·beam best
 * continuations of a sentence's hypotheses, those among the first `beam` that are `</s>` finish a hypothesis, and
 * the first `beam` others live on. Hypotheses are compared by Σ log p while they grow; the length penalty only
 * ranks the finished ones. A sentence is done, and leaves the batch, when it has `beam` finished hypotheses or
 * has reached its greatest length, where `</s>` is forced; others take its place. `beam: 1` is greedy search.
 *
 * Two things differ from the official code so that a translation does not depend on the sentences beside it: the
 * greatest length follows from the sentence's own length (there: from the longest in the batch), and equal scores
 * go to the better hypothesis, then to the lower id (there: undefined).
 *
 * @param found told of each sentence as it is done: its place in the order of the supply, and its finished hypotheses
 *   (one to `beam`), best score first
 * @throws UserError when the model's probabilities are not finite
 */
export async function search(
  model: StepModel,
  supply: Supply,
  options: SearchOptions & BatchLimits,
  found: (place: number, hypotheses: Hypothesis[]) => void,
): Promise<void> {
  const beam = Math.min(options.beam, model.vocabularySize - 1);
  const state = model.start();
  let open: Sentence[] = [];
  let taken = 0;
  try {
    for (;;) {
      const room = roomBeside(open, options);
      const sources = room === null ? [] : await supply(room);
      if (sources.length > 0) state.add(pack(sources));
      for (const { length } of sources) open.push(newSentence(taken++, length, options));
      if (open.length === 0) return;
      const rows = await step(state, open, { ...options, beam, vocabularySize: model.vocabularySize });
      for (const { place, live, finished } of open) {
        if (live.length === 0)
          found(
            place,
            finished.sort((a, b) => b.score - a.score),
          );
      }
      open = open.filter(({ live }) => live.length > 0);
      state.select(rows);
      // Signals, progress and other searches are served here.
      await setImmediate();
    }
  } finally {
    state.dispose();
  }
}

/** The same of sentences that are all there. @returns the hypotheses of each, in the order of the sentences */
export async function beamSearch(
  model: StepModel,
  { tokens, offsets }: Packed,
  options: SearchOptions,
): Promise<Hypothesis[][]> {
  const sources = Array.from({ length: offsets.length - 1 }, (_, i) =>
    tokens.subarray(offsets[i], offsets[i + 1]),
  );
  const results = new Array<Hypothesis[]>(sources.length);
  const limits = { maxTokens: tokens.length, batchSize: sources.length };
  await search(
    model,
    () => sources.splice(0),
    { ...options, ...limits },
    (place, hypotheses) => {
      results[place] = hypotheses;
    },
  );
  return results;
}

/** What a batch has room for; null while that is too little. */
function roomBeside(open: readonly Sentence[], { maxTokens, batchSize }: BatchLimits): Room | null {
  const tokens = open.reduce((sum, { sourceLength }) => sum + sourceLength, 0);
  const room = {
    maxTokens: maxTokens - tokens,
    batchSize: batchSize - open.length,
    empty: open.length === 0,
  };
  const enough = room.maxTokens >= REFILL * maxTokens && room.batchSize >= REFILL * batchSize;
  return enough || room.empty ? room : null;
}

/** Takes all sentences one token further. @returns for each row that lives on, which of the former ones it continues */
async function step(
  state: StepState,
  open: readonly Sentence[],
  { beam, minLen, lenpen, vocabularySize }: SearchOptions & { vocabularySize: number },
): Promise<Int32Array> {
  // Where </s> is forbidden to a sentence, 2·beam − 1 others are as many as live on, and more.
  const k = Math.min(2 * beam, vocabularySize - 1);
  const top = await state.step(lastTokens(open), k, [PAD]);
  const rows: number[] = [];
  let firstRow = 0;
  for (const sentence of open) {
    const count = sentence.live.length;
    const candidates =
      sentence.length < sentence.maxLength
        ? continuations(sentence, top, firstRow, k, sentence.length < minLen)
        : endings(sentence, top.endLogProbs.subarray(firstRow, firstRow + count));
    const parents = advance(sentence, candidates.slice(0, 2 * beam), beam, lenpen);
    for (const parent of parents) rows.push(firstRow + parent);
    firstRow += count;
  }
  return Int32Array.from(rows);
}

function newSentence(place: number, sourceLength: number, options: SearchOptions): Sentence {
  const { maxLenA, maxLenB, maxPositions } = options;
  return {
    place,
    sourceLength,
    maxLength: Math.min(Math.floor(maxLenA * sourceLength + maxLenB), maxPositions - 1),
    length: 0,
    live: [{ token: EOS, logProb: 0, total: 0, parent: null }],
    finished: [],
  };
}

function lastTokens(sentences: readonly Sentence[]): Int32Array {
  return Int32Array.from(sentences.flatMap(({ live }) => live.map(({ token }) => token)));
}

/** Every continuation the model offered for the hypotheses of a sentence, best first; without `</s>` if it is too early. */
function continuations(
  { live }: Sentence,
  top: Continuations,
  firstRow: number,
  k: number,
  early: boolean,
): Candidate[] {
  const candidates: Candidate[] = [];
  live.forEach((parent, beam) => {
    for (let i = (firstRow + beam) * k; i < (firstRow + beam + 1) * k; i++) {
      if (early && top.ids[i] === EOS) continue;
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
  lenpen: number,
): number[] {
  const length = ++sentence.length;
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
