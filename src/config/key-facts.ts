import { z } from 'zod';

/* What is known of a key beside its type, default and text. It stands with the key, in the schema. */

export interface KeyFacts {
  /**
   * Whether training goes on from a checkpoint where the key was another: `free`, it decides nothing about the numbers
   * of a run (paths, how it began, when to look, save and log; what comes after training); `changeable`, it changes how
   * training goes on, not what it is the training of, and a notice is given; `bound`, only with --allow-change.
   */
  readonly resume: 'free' | 'changeable' | 'bound';
  /** Values of other keys, by path, at which this one has no effect; the first that holds is the reason to tell. */
  readonly idle?: Readonly<Record<string, readonly unknown[]>>;
  /** Whether all of them have to hold for that. */
  readonly idleTogether?: boolean;
  /** What its number counts. */
  readonly unit?: string;
}

/** Unit of the size of a batch, which other toolkits count in sentences. */
export const BATCH_UNIT = 'tokens of a side';

/** The facts of every key, by its schema. */
export const keyFacts = z.registry<KeyFacts>();

declare const classified: unique symbol;
/** A key with its facts, or a section of such: what a section may hold. */
export type Classified<T extends z.ZodType = z.ZodType> = T & { readonly [classified]: true };
export type ClassifiedShape<Name extends PropertyKey = string> = Readonly<Record<Name, Classified>>;

const classify =
  (resume: KeyFacts['resume']) =>
  <T extends z.ZodType>(key: T, facts: Omit<KeyFacts, 'resume'> = {}): Classified<T> => {
    keyFacts.add(key, { resume, ...facts });
    return key as Classified<T>;
  };

export const free = classify('free');
export const changeable = classify('changeable');
export const bound = classify('bound');
