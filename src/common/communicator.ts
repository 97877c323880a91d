import os from 'node:os';

/** A sum over all ranks that is under way. */
export interface Pending {
  /** Blocks until the sum stands in the arrays, on every rank. Where the others do not come in time, all ranks end. */
  wait(): void;
}

/** What talking to the other ranks has cost since the start. */
export interface Traffic {
  /** Seconds that this rank was blocked: in `wait`, `exchange`, `broadcast` and `barrier`. */
  blockedSeconds: number;
  /** Seconds that the sums took in the background, from their beginning to their end; what is blocked of it counts above, too. */
  sumSeconds: number;
  /** Bytes that this rank has sent. */
  bytes: number;
  sums: number;
}

/**
 * Several processes that work on one thing, each of which runs the same program and calls the same methods in the same
 * order. A method that fails ends all of them: nobody waits for one that is gone.
 */
export interface Communicator {
  /** Of this process, from 0. */
  readonly rank: number;
  /** How many processes there are. */
  readonly size: number;
  /** The host of each rank. */
  readonly hosts: readonly string[];
  /**
   * Sums arrays of the same lengths over all ranks, in place, in the background: they are not touched until `wait` has
   * returned. All ranks get the same bits. Where `size` is a power of two, a sum is a binary tree over the ranks,
   * (0 + 1) + (2 + 3), so that ranks that each hold a subtree get the bits that one process does for the whole; for
   * other sizes n with the power p below, rank p + i is first added to rank i. Sums that were begun earlier are done
   * earlier.
   */
  beginSum(arrays: readonly (Float32Array | Float64Array)[]): Pending;
  /** A small value of JSON of every rank, in the order of ranks; after the sums that were begun. */
  exchange<T>(value: T): T[];
  /** The value of rank 0, whatever the others give; JSON. */
  broadcast<T>(value: T): T;
  /** Returns when every rank has called it. */
  barrier(): void;
  /** Ends all ranks with a message, said once, and an exit code. */
  abort(message: string, code: number): never;
  readonly traffic: Readonly<Traffic>;
}

/** One process: nothing is copied, nothing is waited for. */
export const alone: Communicator = {
  rank: 0,
  size: 1,
  hosts: [os.hostname()],
  beginSum: () => ({ wait: () => {} }),
  exchange: (value) => [value],
  broadcast: (value) => value,
  barrier: () => {},
  abort: (message) => {
    throw new Error(message);
  },
  traffic: { blockedSeconds: 0, sumSeconds: 0, bytes: 0, sums: 0 },
};
