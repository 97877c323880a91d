import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServeConfig } from '../../config/schema.js';
import type { LineSearch, PreparedLine } from '../../decode/line-translator.js';
import type { Translation } from '../../decode/translation-format.js';
import { HttpError } from '../http/http-error.js';
import { type AskedSearch, orRefused } from './asked-search.js';
import type { Metrics } from './metrics.js';
import type { Models, ServedModel } from './models.js';
import type { TokenCheck } from './token.js';

/** What all requests share. */
export interface Service {
  readonly config: ServeConfig;
  readonly models: Models;
  readonly metrics: Metrics;
  readonly isToken: TokenCheck | undefined;
  /** The page to type into. */
  readonly page: string;
  /** Whether it ends, so that nothing new is begun. */
  readonly ending: boolean;
}

/** A request, and what drops its work. */
export interface Session {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly signal: AbortSignal;
}

/** Who asked has left: there is nobody to answer. */
export class ClientGone extends Error {}

/** Does work that ends when the client leaves, or after so many seconds, where that is a number. */
export async function withSignal<T>(
  response: ServerResponse,
  seconds: number | null,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const late = () =>
    controller.abort(
      new HttpError(503, `not translated within ${seconds} seconds: ask for less at a time`, {
        'Retry-After': '5',
      }),
    );
  const timer = seconds === null ? undefined : setTimeout(late, 1000 * seconds);
  const leave = (): void => controller.abort(new ClientGone());
  response.once('close', leave);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    response.off('close', leave);
  }
}

/** @throws HttpError 401 where a token is asked for and this is not the one */
export function checkToken({ isToken }: Service, token: string | undefined): void {
  if (isToken === undefined || isToken(token)) return;
  throw new HttpError(
    401,
    `expected the token of this server${token === undefined ? '' : ', found another one'}`,
    {
      'WWW-Authenticate': 'Bearer',
    },
  );
}

/**
 * How a request is translated.
 *
 * @param translations of each text that it asks for: so many samples are drawn
 * @throws HttpError 400 for what it may not ask for
 */
export function searchFor(
  { lines, searchBy }: ServedModel,
  asked: AskedSearch,
  translations: number,
): LineSearch {
  const isOwn = asked.decode === undefined && asked.seed === undefined;
  const how = isOwn ? lines.how : orRefused(() => searchBy(asked));
  if (how.sampling !== true || how.risk !== null) return how;
  return { ...how, beam: Math.min(how.beam, translations) };
}

/** Translates a sentence, and counts it. */
export async function translateSentence(
  { metrics }: Service,
  { lines }: ServedModel,
  line: PreparedLine,
  signal: AbortSignal,
): Promise<Translation> {
  const translation = await lines.translate(line, signal);
  metrics.translated(translation.sourceTokens.length, translation.hypotheses[0].tokens.length);
  return translation;
}
