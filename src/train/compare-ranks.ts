import type { Communicator } from '../common/communicator.js';
import { floatsOf } from '../ops/in-place.js';
import type { tf } from '../ops/tf.js';

/** A hash of values that tells two states of a training apart; it is as fast as the memory, and no seal. */
export function quickHash(tensors: Iterable<tf.Tensor>): number {
  let hash = 0;
  for (const tensor of tensors) {
    const { buffer, byteOffset, length } = floatsOf(tensor);
    const words = new Uint32Array(buffer, byteOffset, length);
    for (let i = 0; i < length; i++) hash = (Math.imul(hash, 0x01000193) ^ words[i]) | 0; // FNV-1, by words
    hash = (hash ^ (hash >>> 15)) | 0;
  }
  return hash >>> 0;
}

/**
 * Compares what every rank holds.
 *
 * @param when in words
 * @throws Error that names the ranks, and their hosts, which have another state than most
 */
export function compareRanks(communicator: Communicator, tensors: Iterable<tf.Tensor>, when: string): void {
  if (communicator.size === 1) return;
  const hashes = communicator.exchange(quickHash(tensors));
  const votes = new Map<number, number>();
  for (const hash of hashes) votes.set(hash, (votes.get(hash) ?? 0) + 1);
  if (votes.size === 1) return;
  const [[usual]] = [...votes].sort(([, a], [, b]) => b - a); // the first rank's where there is no majority
  const others = hashes.flatMap((hash, rank) =>
    hash === usual ? [] : [`rank ${rank} on ${communicator.hosts[rank]}`],
  );
  throw new Error(
    `the ranks do not hold the same weights ${when}: ${others.join(', ')} ${others.length === 1 ? 'differs' : 'differ'} from the others. ` +
      'The memory or the processor of that host may be at fault (admin-nmt self-test). The last checkpoint before is kept.',
  );
}
