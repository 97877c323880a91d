import { setImmediate } from 'node:timers/promises';

/** Long work that stops now and then: each `yield` is a place where the process may look at something else. */
export type Pieces<T> = Generator<void, T, void>;

/** Does all of it at once. */
export function finishNow<T>(work: Pieces<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/**
 * Does it piece by piece; between two of them the process hears its signals.
 *
 * @param isUnwanted asked between pieces whether to give it up
 * @returns undefined where it was given up
 */
export async function finishHearing<T>(work: Pieces<T>, isUnwanted: () => boolean): Promise<T | undefined> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await setImmediate();
    if (isUnwanted()) return undefined;
  }
}
