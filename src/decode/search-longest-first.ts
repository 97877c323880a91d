import { type BatchLimits, LengthQueue } from './length-batches.js';
import { type Hypothesis, type SearchOptions, type StepModel, search } from './search.js';

/**
 * Searches the translations of sentences that are all there, the longest first: at the end, where nothing is left to fill
 * the batch with, those are in it which end soon.
 *
 * @param sources ids that end in `</s>`
 * @param found told of each sentence as it is done: its place, and its hypotheses, best score first
 */
export async function searchLongestFirst(
  model: StepModel,
  sources: readonly Int32Array[],
  options: SearchOptions & BatchLimits,
  found: (place: number, hypotheses: Hypothesis[]) => void,
): Promise<void> {
  const queue = new LengthQueue(sources.map(({ length }) => length));
  const places: number[] = [];
  const supply = (room: BatchLimits & { empty: boolean }): Int32Array[] => {
    const next = queue.take(room, room.empty);
    places.push(...next);
    return next.map((place) => sources[place]);
  };
  await search(model, supply, options, (i, hypotheses) => found(places[i], hypotheses));
}
