import type { Config } from './schema.js';

/** A rule between keys. */
export interface Check {
  /** Dotted paths of the keys it is about, the one to change first. */
  readonly keys: readonly string[];
  /** What is wrong, or undefined. */
  readonly problem: (config: Config) => string | undefined;
  readonly hint: string;
}
