import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Communicator } from '../common/communicator.js';

/** The processors that this process may use, as the system writes them; '' where it does not tell. */
function ownProcessors(): string {
  try {
    return /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
  } catch {
    return '';
  }
}

/**
 * How many threads each rank takes unless it is told: ranks that are bound to processors of their own take those, ranks of
 * one host that may use the same ones share them out.
 *
 * @param own the processors of this process and how many they are, for a test
 * @returns one a rank; the same list on all
 */
export function threadsOfRanks(
  communicator: Communicator,
  own = { processors: ownProcessors(), count: availableParallelism() },
): number[] {
  const { hosts } = communicator;
  const all = communicator.exchange(own);
  return all.map(({ processors, count }, rank) => {
    const sharing = all.filter((other, i) => hosts[i] === hosts[rank] && other.processors === processors);
    return Math.max(1, Math.floor(count / sharing.length));
  });
}

/** Ranks, threads and hosts in a line: `4 ranks × 8 threads on node1 (2), node2 (2)`. */
export function describeRanks({ size, hosts }: Communicator, threads: readonly number[]): string {
  const [least, most] = [Math.min(...threads), Math.max(...threads)];
  const each = least === most ? `${least}` : `${least} to ${most}`;
  const places = [...new Set(hosts)].map((host) => `${host} (${hosts.filter((one) => one === host).length})`);
  return `${size} ranks × ${each} ${most === 1 ? 'thread' : 'threads'} on ${places.join(', ')}`;
}
