import { selectTop } from '../../ops/top-log-probs.js';
import { after, type Link, ranked } from '../hypothesis.js';
import type { Choice } from './choice.js';

/** The best continuations of all hypotheses. */
export const best: Choice = (_, { live, width }, probabilities) => bestOf(live, 2 * width, probabilities);

/**
 * The best continuations of hypotheses.
 *
 * @param cost what the search takes off for a token
 */
export function bestOf(
  live: readonly Link[],
  count: number,
  probabilities: (link: Link) => Float32Array,
  cost: ReadonlyMap<number, number> = NO_COST,
): Link[] {
  const candidates = live.flatMap((parent) => {
    const own = probabilities(parent);
    const compared = cost.size === 0 ? own : own.slice();
    for (const [id, off] of cost) compared[id] -= off;
    const ids = new Int32Array(Math.min(count, own.length));
    selectTop(compared, ids.length, NONE, ids);
    return Array.from(ids, (id) => after(parent, id, own[id], cost.get(id)));
  });
  return ranked(candidates).slice(0, count);
}

const NONE: ReadonlySet<number> = new Set();
const NO_COST: ReadonlyMap<number, number> = new Map();
