import type { Communicator } from './communicator.js';
import { type Complaint, explainFileError, InterruptedError, UserError } from './errors.js';

/** What rank 0 tells of its work. */
type Outcome<T> = { value: T } | { complaints: readonly Complaint[] } | { signal: 'SIGINT' | 'SIGTERM' };

/**
 * Rank 0 works, the others wait. What the user can mend, or has interrupted, is thrown on all ranks; a bug on rank 0 alone.
 *
 * @returns what the work does, on all ranks: JSON
 */
export async function atRoot<T>(communicator: Communicator, work: () => Promise<T> | T): Promise<T> {
  if (communicator.size === 1) return await work();
  if (communicator.rank > 0) return receive(communicator.broadcast<Outcome<T> | null>(null)!);
  let value: T;
  try {
    value = await work();
  } catch (thrown) {
    const error = explainFileError(thrown);
    if (error instanceof UserError) communicator.broadcast<Outcome<T>>({ complaints: error.complaints });
    else if (error instanceof InterruptedError) communicator.broadcast<Outcome<T>>({ signal: error.signal });
    throw error;
  }
  communicator.broadcast<Outcome<T>>({ value });
  return value;
}

/** Rank 0 works first, and then the others, who find on the disk what it has made. */
export async function rootFirst<T>(communicator: Communicator, work: () => Promise<T> | T): Promise<T> {
  if (communicator.size === 1) return await work();
  let value: T | undefined;
  await atRoot(communicator, async () => {
    value = await work();
    return null;
  });
  return communicator.rank === 0 ? value! : await work();
}

function receive<T>(outcome: Outcome<T>): T {
  if ('value' in outcome) return outcome.value;
  throw 'signal' in outcome
    ? new InterruptedError(outcome.signal, 'Interrupted.')
    : new UserError(outcome.complaints);
}
