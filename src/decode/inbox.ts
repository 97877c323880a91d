import type { BatchLimits } from './length-batches.js';
import { endOfBatch } from './length-batches.js';
import { type Hypothesis, type Room, type SearchOptions, search } from './search.js';
import type { Wishes } from './search-options.js';
import type { StepModel } from './step-model.js';

/** A sentence that is given to a search which is under way. */
export interface GivenSentence {
  id: number;
  /** Source ids that end in `</s>`. */
  ids: Int32Array;
  /** What is wished of it, in a search that heeds wishes. */
  wishes?: Wishes;
}

/** Where sentences are put for a search that has no end: it takes them as there is room in its batch, first come, first served. */
export class Inbox {
  private waiting: GivenSentence[] = [];
  private ended = false;
  private onArrival = (): void => {};

  get isOpen(): boolean {
    return !this.ended;
  }

  give(sentences: readonly GivenSentence[]): void {
    this.waiting.push(...sentences);
    this.onArrival();
  }

  /** Forgets what waits. */
  clear(): void {
    this.waiting = [];
  }

  /** No more will come: the search ends with what is there. */
  end(): void {
    this.ended = true;
    this.onArrival();
  }

  /** The next sentences that there is room for. A batch that has none waits for one; nothing after the end. */
  async take(room: Room): Promise<GivenSentence[]> {
    if (room.empty && this.waiting.length === 0 && !this.ended)
      await new Promise<void>((resolve) => {
        this.onArrival = resolve;
      });
    const lengths = this.waiting.map(({ ids }) => ids.length);
    return this.waiting.splice(0, endOfBatch(lengths, 0, room, room.empty));
  }
}

/**
 * Searches the translations of the sentences of an inbox, until it ends: a sentence comes into the batch while others are
 * at any place of theirs.
 *
 * @param heeding whether it heeds wishes, for which it asks for whole distributions
 * @param found told of each sentence as it is done: its id, and its hypotheses, best score first
 */
export async function searchInbox(
  model: StepModel,
  inbox: Inbox,
  options: SearchOptions & BatchLimits,
  heeding: boolean,
  found: (id: number, hypotheses: Hypothesis[]) => void,
): Promise<void> {
  const given = new Map<number, GivenSentence>();
  let taken = 0;
  const supply = async (room: Room): Promise<Int32Array[]> => {
    const next = await inbox.take(room);
    for (const sentence of next) given.set(taken++, sentence);
    return next.map((sentence) => sentence.ids);
  };
  const wishes = (place: number): Wishes | undefined => given.get(place)!.wishes;
  const done = (place: number, hypotheses: Hypothesis[]): void => {
    const { id } = given.get(place)!;
    given.delete(place);
    found(id, hypotheses);
  };
  await search(model, supply, options, done, heeding ? wishes : undefined);
}
