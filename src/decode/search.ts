import { setImmediate } from 'node:timers/promises';
import { type Packed, pack } from '../data/batch.js';
import type { Asking } from './choice/choice.js';
import { plainAsking } from './choice/plain.js';
import { ruledAsking } from './choice/ruled.js';
import { deadEnd, notFinite } from './dead-end.js';
import type { Hypothesis } from './hypothesis.js';
import type { BatchLimits } from './length-batches.js';
import { hypothesisAsRead, wishesBackwards } from './reading-order.js';
import { isPlain, type SearchOptions, type Wishes } from './search-options.js';
import { advance, isLive, newSentence, outcome, rowsOf, type Sentence } from './sentence.js';
import type { StepModel, StepState } from './step-model.js';

export type { Hypothesis } from './hypothesis.js';
export type { SearchOptions } from './search-options.js';

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
 * Translates sentences, each as if it were alone. What may follow a hypothesis is the model's to say (`StepModel`), the rules of
 * a sentence change it (`rules/`), and a choice makes the next hypotheses of it (`choice/`): the plain beam, groups that shun
 * each other, samples, or hypotheses in banks by what they must have.
 *
 * The plain beam is in the form of the official implementation (fairseq/sequence_generator.py): of the 2·beam best
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
 * @param wishes what is wished of each sentence, by its place; where this is given the whole distribution is asked for
 * @throws UserError when the model's probabilities are not finite, or rules leave nothing to choose
 */
export async function search(
  model: StepModel,
  supply: Supply,
  options: SearchOptions & BatchLimits,
  found: (place: number, hypotheses: Hypothesis[]) => void,
  wishes?: (place: number) => Wishes | undefined,
): Promise<void> {
  const plain = wishes === undefined && isPlain(options);
  const how = plain ? { ...options, beam: Math.min(options.beam, model.vocabularySize - 1) } : options;
  const ask = plain ? plainAsking(model, how) : ruledAsking(model);
  const { asRead, wishOf } = inOrder(options.rightToLeft, wishes);
  const state = model.start();
  let open: Sentence[] = [];
  let taken = 0;
  try {
    for (;;) {
      const room = roomBeside(open, options);
      const sources = room === null ? [] : await supply(room);
      if (sources.length > 0) state.add(pack(sources));
      for (const source of sources) {
        const length = model.sourceLength?.(source) ?? source.length;
        open.push(newSentence(taken, length, how, wishOf(taken)));
        taken++;
      }
      if (open.length === 0) return;
      const rows = await step(state, open, ask, options.lenpen, plain ? notFinite : deadEnd);
      for (const sentence of open) if (!isLive(sentence)) found(sentence.place, asRead(outcome(sentence)));
      open = open.filter(isLive);
      state.select(rows);
      // Signals, progress and other searches are served here.
      await setImmediate();
    }
  } finally {
    state.dispose();
  }
}

/** How a search reads wishes and tells what it has found. */
function inOrder(
  rightToLeft: boolean | undefined,
  wishes: (place: number) => Wishes | undefined = () => undefined,
) {
  if (!rightToLeft) return { asRead: (found: Hypothesis[]) => found, wishOf: wishes };
  return {
    asRead: (found: Hypothesis[]) => found.map(hypothesisAsRead),
    wishOf: (place: number) => {
      const wished = wishes(place);
      return wished && wishesBackwards(wished);
    },
  };
}

/** The same of sentences that are all there. @returns the hypotheses of each, in the order of the sentences */
export async function beamSearch(
  model: StepModel,
  { tokens, offsets }: Packed,
  options: SearchOptions,
  wishes?: readonly (Wishes | undefined)[],
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
    wishes && ((place) => wishes[place]),
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

/**
 * Takes all sentences one token further.
 *
 * @param complaint what to say of a line that nothing may follow in
 * @returns for each row that lives on, which of the former ones it continues
 */
async function step(
  state: StepState,
  open: readonly Sentence[],
  ask: Asking,
  lenpen: number,
  complaint: (line: number) => Error,
): Promise<Int32Array> {
  const propose = await ask(state, lastTokens(open));
  const rows: number[] = [];
  let firstRow = 0;
  for (const sentence of open) {
    const before = rowsOf(sentence).length;
    for (const group of sentence.groups) advance(group, propose(sentence, group, firstRow), lenpen);
    sentence.length++;
    const live = rowsOf(sentence);
    for (let row = 0; row < live.length; row++) {
      rows.push(firstRow + live[row].row);
      live[row].row = row;
    }
    if (live.length === 0 && sentence.groups.every(({ finished }) => finished.length === 0))
      throw complaint(sentence.line);
    firstRow += before;
  }
  return Int32Array.from(rows);
}

function lastTokens(sentences: readonly Sentence[]): Int32Array {
  const tokens: number[] = [];
  for (const sentence of sentences) for (const { token } of rowsOf(sentence)) tokens.push(token);
  return Int32Array.from(tokens);
}
