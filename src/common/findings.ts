import { userErrorOf } from './errors.js';

/** What became of looking at one thing. */
export interface Finding {
  /** The thing: a path. */
  readonly what: string;
  readonly verdict: 'ok' | 'damaged' | 'not verified';
  /** What was seen, what is wrong and where, or why it could not be verified. */
  readonly detail: string;
}

export function ok(what: string, detail: string): Finding {
  return { what, verdict: 'ok', detail };
}

export function unverified(what: string, why: string): Finding {
  return { what, verdict: 'not verified', detail: why };
}

/** @param error what was thrown at the look; a bug is thrown on */
export function damaged(what: string, error: unknown): Finding {
  const details = userErrorOf(error).complaints.map(({ problem, where }) =>
    where === undefined || where === what ? problem : `${where}: ${problem}`,
  );
  return { what, verdict: 'damaged', detail: details.join('; ') };
}

/** Looks at a thing; an error that is no bug is damage. */
export function examine(what: string, look: () => string | Finding): Finding {
  try {
    const found = look();
    return typeof found === 'string' ? ok(what, found) : found;
  } catch (error) {
    return damaged(what, error);
  }
}
