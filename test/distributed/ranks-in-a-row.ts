import { alone, type Communicator } from '../../src/common/communicator.js';

/** Rank 0 of several, the others of which have given these values to its exchange. */
export const rankOf = (hosts: readonly string[], values: readonly unknown[]): Communicator => ({
  ...alone,
  size: hosts.length,
  hosts,
  exchange: <T>() => values as T[],
});
