import { UserError } from '../common/errors.js';
import { parseJson } from '../common/json.js';

/** A line to translate, with what is wished of its translation. */
export interface LineRequest {
  source: string;
  /** A token that is put before it, in place of `decode.tag`. */
  tag?: string;
  /** What the translation begins with. */
  prefix?: string;
  /** Phrases that it must have. */
  constraints?: readonly string[];
  /** Phrases that it must not have. */
  forbidden?: readonly string[];
  /** Least and most tokens, without `</s>`. */
  minLen?: number;
  maxLen?: number;
}

const KINDS = {
  source: 'a text',
  prefix: 'a text',
  constraints: 'a list of texts',
  forbidden: 'a list of texts',
  minLen: 'a whole number',
  maxLen: 'a whole number',
  tag: 'a text',
} as const;

const MEETS: Record<(typeof KINDS)[keyof typeof KINDS], (value: unknown) => boolean> = {
  'a text': (value) => typeof value === 'string',
  'a list of texts': (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'string'),
  'a whole number': (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};

/**
 * Checks an object that may be a request.
 *
 * @param where the line, to name in an error
 * @throws UserError for keys that there are not and values of another kind
 */
export function checkRequest(value: unknown, where: string): LineRequest {
  const keys = Object.keys(KINDS).join(', ');
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UserError({
      problem: `expected an object with the keys ${keys}, found ${shown(value)}`,
      where,
    });
  for (const [key, entry] of Object.entries(value)) {
    if (!Object.hasOwn(KINDS, key))
      throw new UserError({ problem: `expected the keys ${keys}, found '${key}'`, where });
    const kind = KINDS[key as keyof typeof KINDS];
    if (!MEETS[kind](entry))
      throw new UserError({ problem: `expected ${kind} as ${key}, found ${shown(entry)}`, where });
  }
  if (!('source' in value))
    throw new UserError({ problem: `expected a text to translate as source, found ${shown(value)}`, where });
  return value as LineRequest;
}

/** A line of JSON. @throws UserError that names the line where it is none, or no request */
export function parseRequest(line: string, index: number): LineRequest {
  const where = lineName(index);
  try {
    return checkRequest(parseJson(line), where);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError({
      problem: `expected an object in JSON such as {"source": "…", "prefix": "…"}, found '${line.slice(0, 60)}'`,
      where,
      hint: 'Every line is an object of its own; plain text is translated without --input-format jsonl.',
    });
  }
}

/** A line of text with the phrases that its translation must have, parted by tabs. */
export function splitRequest(line: string): LineRequest {
  const [source, ...constraints] = line.split('\t');
  return { source, constraints };
}

export const lineName = (index: number): string => `line ${index + 1}`;

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 60) ?? String(value);
