import { UserError } from '../../common/errors.js';
import { loadConfig } from '../../config/load.js';
import type { Config, WrittenConfig } from '../../config/schema.js';
import type { LineRequest } from '../../decode/line-request.js';
import { HttpError } from '../http/http-error.js';

/** What a request asks of the search. */
export interface AskedSearch {
  /** Keys of the section decode of a config, as they came. */
  readonly decode?: unknown;
  readonly seed?: unknown;
}

/** What is wished of a text, as it came. */
export type AskedWishes = Partial<Record<(typeof WISHES)[number], unknown>>;

const WISHES = [
  'prefix',
  'constraints',
  'forbidden',
  'minLen',
  'maxLen',
  'tag',
] as const satisfies (keyof LineRequest)[];

/** Those keys of decode that cost others nothing: how much is computed at a time is the server's to say, and so are files. */
const KEYS: readonly string[] = [
  ...['unk', 'no-repeat-ngram-size', 'repetition-penalty', 'constraints', 'mbr'],
  ...['diverse-beam-groups', 'diverse-beam-strength'],
  ...['sampling', 'sampling-topk', 'sampling-topp', 'temperature'],
];

/** The wishes of a request; undefined where it has none. */
export function wishesOf(fields: Readonly<Record<string, unknown>>): AskedWishes | undefined {
  const found = WISHES.filter((name) => fields[name] !== undefined);
  return found.length === 0 ? undefined : Object.fromEntries(found.map((name) => [name, fields[name]]));
}

/** The config of a model with what a request asks for. @throws HttpError 400 for what it may not ask for, UserError for what cannot be meant */
export function askedConfig(written: WrittenConfig, { decode = {}, seed }: AskedSearch): Config {
  if (typeof decode !== 'object' || decode === null || Array.isArray(decode))
    throw new HttpError(400, `expected decode to be an object with keys of ${KEYS.join(', ')}`);
  const other = Object.keys(decode).find((key) => !KEYS.includes(key));
  if (other !== undefined)
    throw new HttpError(
      400,
      `a request may ask for ${KEYS.join(', ')} of decode, found ${other.slice(0, 60)}`,
    );
  return loadConfig({ files: [written, { decode, seed: seed as number | undefined }] }).config;
}

/** Does what a mistake in a request ends. @throws HttpError 400 with the words of the mistake */
export function orRefused<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UserError) throw new HttpError(400, error.message);
    throw error;
  }
}
