import { addLists } from '../ops/lists.js';
import type { tf } from '../ops/tf.js';

/*
 * In what order the gradients of an update are summed. Its batches have places, 0 … updateFreq − 1, which are cut into
 * parts of equal length: as many as the largest power of two, up to MOST_PARTS, that divides their number. Within a part
 * they are summed one after another, and the parts as a binary tree: halves of halves. So the order does not depend on
 * who does a half: two processes that sum a half each, and add the two sums, come to the bits of one that does all. It
 * holds for any number of processes that divides the number of parts. A whole tree, down to the single batch, would hold
 * for more of them, but every level costs a list of gradients as large as the model.
 */

/** Processes beyond so many come to other bits than one. */
export const MOST_PARTS = 8;

/** The places of an update that a process does: from `first` to before `end`. */
export interface Share {
  first: number;
  end: number;
}

/** The share of one of `size` processes: shares follow one another, and differ by one place at most. */
export function shareOf(rank: number, size: number, updateFreq: number): Share {
  const [first, end] = [rank, rank + 1].map((i) => Math.floor((i * updateFreq) / size));
  return { first, end };
}

/** Into how many parts so many places are cut. */
function partsOf(places: number): number {
  let parts = 1;
  while (parts < MOST_PARTS && places % (2 * parts) === 0) parts *= 2;
  return parts;
}

/** Places of a part, in a process that does this share of an update. */
function partLength({ first, end }: Share, updateFreq: number): number {
  const whole = updateFreq / partsOf(updateFreq);
  const own = end - first;
  return first % whole === 0 && own % whole === 0 ? whole : own / partsOf(own);
}

/**
 * Lists of gradients that are held beside that of the batch under way, at the most.
 *
 * @param batches of the update that there are
 */
export function listsHeld(batches: number, share: Share, updateFreq: number): number {
  const length = partLength(share, updateFreq);
  let most = 0;
  for (let done = 0; done < batches; done++) {
    const parts = Math.floor(done / length);
    const complete = parts.toString(2).replaceAll('0', '').length; // subtrees that wait for their other half
    most = Math.max(most, complete + (done % length === 0 ? 0 : 1));
  }
  return most;
}

/** Sums the gradients of the batches of an update, as they come in the order of their places. */
export class GradientTree {
  private readonly length: number;
  private done = 0;
  /** Sum of the part under way. */
  private part: tf.Tensor[] | undefined;
  /** Sums of subtrees whose other half is still to come: each of `parts` parts, the largest first. */
  private readonly halves: { parts: number; sum: tf.Tensor[] }[] = [];

  constructor(share: Share, updateFreq: number) {
    this.length = partLength(share, updateFreq);
  }

  /** Takes the list over. */
  add(gradients: tf.Tensor[]): void {
    this.part = this.part === undefined ? gradients : addLists(this.part, gradients);
    this.done++;
    if (this.done % this.length === 0) this.endPart();
  }

  /**
   * Takes over one gradient of the last batch, in place of `add`.
   *
   * @returns the sum of all at this place of the list, as `sum` would have it
   */
  addLast(place: number, gradient: tf.Tensor): tf.Tensor {
    const before = [...this.halves.map(({ sum }) => sum), ...(this.part === undefined ? [] : [this.part])];
    return before.reduceRight((sum, list) => addLists([list[place]], [sum])[0], gradient);
  }

  /** The sum of all; those places of the update that have no batch add nothing. Undefined where there was none at all. */
  sum(): tf.Tensor[] | undefined {
    let { part: sum } = this;
    for (const half of this.halves.splice(0).reverse()) {
      sum = sum === undefined ? half.sum : addLists(half.sum, sum);
    }
    return sum;
  }

  private endPart(): void {
    let [parts, sum] = [1, this.part!];
    this.part = undefined;
    while (this.halves.at(-1)?.parts === parts) {
      sum = addLists(this.halves.pop()!.sum, sum);
      parts *= 2;
    }
    this.halves.push({ parts, sum });
  }
}
