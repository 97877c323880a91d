import type { IncomingMessage } from 'node:http';
import { HttpError } from '../http/http-error.js';
import { type AskedSearch, type AskedWishes, wishesOf } from './asked-search.js';

/** What is asked of `/translate`, in the words of LibreTranslate. */
export interface TranslateRequest {
  readonly texts: readonly string[];
  /** Whether one text is asked for, not a list. */
  readonly single: boolean;
  readonly source: string;
  readonly target: string;
  /** Further translations of each text, where the search finds so many. */
  readonly alternatives: number;
  readonly wishes: AskedWishes | undefined;
  readonly search: AskedSearch;
  /** The token, where it is not in a header. */
  readonly apiKey: string | undefined;
}

/** @throws HttpError 400 or 415 for what is malformed or not offered */
export function parseTranslateRequest(request: IncomingMessage, body: string): TranslateRequest {
  const fields = fieldsOf(request.headers['content-type'] ?? 'application/json', body);
  const { q } = fields;
  checkFormat(fields.format);
  const texts = typeof q === 'string' ? [q] : q;
  if (!Array.isArray(texts) || !texts.every((text) => typeof text === 'string'))
    throw new HttpError(400, `expected q to be a text or a list of texts, found ${kindOf(q)}`);
  return {
    ...languagesOf(fields),
    texts,
    single: typeof q === 'string',
    alternatives: alternativesOf(fields.alternatives),
    wishes: wishesOf(fields),
    search: { decode: fields.decode, seed: fields.seed },
    apiKey: typeof fields.api_key === 'string' ? fields.api_key : undefined,
  };
}

/** @throws HttpError where one is missing */
export function languagesOf(fields: Readonly<Record<string, unknown>>): { source: string; target: string } {
  const { source = 'auto', target } = fields;
  if (typeof source !== 'string')
    throw new HttpError(400, `expected source to be a language, found ${kindOf(source)}`);
  if (typeof target !== 'string')
    throw new HttpError(400, `expected target to be a language, found ${kindOf(target)}`);
  return { source, target };
}

function fieldsOf(type: string, body: string): Record<string, unknown> {
  const [mime] = type.toLowerCase().split(';');
  if (mime.trim() === 'application/x-www-form-urlencoded')
    return Object.fromEntries(new URLSearchParams(body));
  if (mime.trim() !== 'application/json')
    throw new HttpError(415, `expected application/json or a form, found ${mime}`);
  return objectOf(body);
}

/** @throws HttpError where it is no JSON object */
export function objectOf(text: string): Record<string, unknown> {
  const value = jsonOf(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HttpError(400, `expected a JSON object, found ${kindOf(value)}`);
  return value as Record<string, unknown>;
}

/** @throws HttpError where it is no JSON */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpError(
      400,
      `expected JSON, found something else (${(error as Error).message.slice(0, 100)})`,
    );
  }
}

function checkFormat(format: unknown): void {
  if (format === undefined || format === 'text') return;
  if (format === 'html')
    throw new HttpError(400, 'format html is not offered: send the text without its markup');
  throw new HttpError(400, 'expected format to be text');
}

function alternativesOf(given: unknown): number {
  const count = given === undefined || given === '' ? 0 : Number(given);
  if (Number.isInteger(count) && count >= 0 && count <= 1000) return count;
  throw new HttpError(400, 'expected alternatives to be a number from 0 to 1000');
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list with something else' : `a ${typeof value}`;
}
