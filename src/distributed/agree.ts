import type { Communicator } from '../common/communicator.js';
import { UserError } from '../common/errors.js';

/** What has to be the same on all ranks, by what users call it, such as `the training data`. */
export type Facts = Readonly<Record<string, string>>;

/**
 * Compares what all ranks have to have in common.
 *
 * @throws UserError on every rank, the same, with all that differs: each value, and the ranks that have it
 */
export function agree(communicator: Communicator, facts: Facts): void {
  const all = communicator.exchange(facts);
  const names = [...new Set(all.flatMap((own) => Object.keys(own)))];
  const complaints = names.flatMap((name) => {
    const ranksOf = new Map<string, number[]>();
    for (const [rank, own] of all.entries()) {
      const value = own[name] ?? 'nothing';
      ranksOf.set(value, [...(ranksOf.get(value) ?? []), rank]);
    }
    if (ranksOf.size === 1) return [];
    const found = [...ranksOf].map(([value, ranks]) => `${value} on ${ranksInWords(communicator, ranks)}`);
    return [{ problem: `${name}: expected the same on all ranks, found ${found.join('; ')}` }];
  });
  if (complaints.length === 0) return;
  const hint = 'All hosts need the same program, config and data: a folder that they share, or copies.';
  throw new UserError(complaints.map((one, i) => (i === complaints.length - 1 ? { ...one, hint } : one)));
}

/** Most ranks that are named; of more, it is said how many they are. */
const MOST_NAMED = 8;

function ranksInWords({ hosts }: Communicator, ranks: readonly number[]): string {
  const named = ranks.slice(0, MOST_NAMED).join(', ');
  const more = ranks.length > MOST_NAMED ? ` and ${ranks.length - MOST_NAMED} more` : '';
  const places = [...new Set(ranks.map((rank) => hosts[rank]))];
  const others = places.length > MOST_NAMED ? ', …' : '';
  return `${ranks.length === 1 ? 'rank' : 'ranks'} ${named}${more} (${places.slice(0, MOST_NAMED).join(', ')}${others})`;
}
