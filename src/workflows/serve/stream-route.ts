import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { LookAhead } from '../../decode/look-ahead.js';
import { HttpError } from '../http/http-error.js';
import { readBodyLines } from '../http/request-body.js';
import { admit, takeApart } from './admission.js';
import { wishesOf } from './asked-search.js';
import type { ServedModel } from './models.js';
import { checkToken, type Service, type Session, searchFor, translateSentence } from './session.js';
import { bearerOf } from './token.js';
import { jsonOf, languagesOf } from './translate-request.js';

/** Lines that are read ahead: their sentences share batches. */
const AHEAD = 128;

/**
 * `POST /translate/stream?source=…&target=…`: lines of JSON in, a line out for each of them as soon as it and those before it are
 * done, while further ones come. A line is a text, or an object with the text in `q`, which comes back with `translatedText`.
 *
 * @throws HttpError for the first line; later it is a line with `error`, the last one
 */
export async function answerStream(service: Service, session: Session): Promise<void> {
  const { config, models } = service;
  const { request, response, url, signal } = session;
  checkToken(service, bearerOf(request.headers.authorization));
  const { source, target } = languagesOf(Object.fromEntries(url.searchParams));
  const model = models.find(source, target);
  const lines = readBodyLines(request, { maxBytes: config.maxBody, timeout: 1000 * config.timeout });
  const ahead = new LookAhead(begun(service, model, lines, signal), AHEAD);
  try {
    for (;;) {
      const group = await ahead.take();
      if (group.length === 0) break;
      for (const { answer } of group) await write(response, await answer);
    }
    if (!response.headersSent) begin(response);
    response.end();
  } catch (error) {
    if (!response.headersSent || !(error instanceof HttpError)) throw error;
    response.end(`${JSON.stringify({ error: error.message })}\n`);
  } finally {
    ahead.close();
  }
}

async function* begun(
  service: Service,
  model: ServedModel,
  lines: AsyncIterable<string>,
  signal: AbortSignal,
): AsyncGenerator<{ answer: Promise<object> }> {
  let line = 0;
  for await (const text of lines) {
    line++;
    const answer = translateLine(service, model, text, line, signal);
    answer.catch(() => {}); // it is told in its turn
    yield { answer };
  }
}

async function translateLine(
  service: Service,
  model: ServedModel,
  given: string,
  line: number,
  signal: AbortSignal,
): Promise<object> {
  const fields = fieldsOf(given, line);
  const { q: text, decode, seed } = fields;
  const asked = { wishes: wishesOf(fields), how: searchFor(model, { decode, seed }, 1), first: line - 1 };
  const { parts, lines, tokens } = takeApart([text], model, service.config, asked);
  admit(model, tokens, service.config.maxWaitingTokens);
  const [part] = parts;
  const translations = await Promise.all(
    lines.map((prepared) => translateSentence(service, model, prepared, signal)),
  );
  const { q, ...others } = fields;
  return {
    ...others,
    translatedText: part.assemble(translations.map(({ hypotheses }) => hypotheses[0].text)),
  };
}

function fieldsOf(text: string, line: number): { q: string } & Record<string, unknown> {
  const value = jsonOf(text);
  if (typeof value === 'string') return { q: value };
  if (typeof value === 'object' && value !== null && 'q' in value && typeof value.q === 'string')
    return value as { q: string } & Record<string, unknown>;
  throw new HttpError(400, `line ${line}: expected a JSON text, or an object with a text q`);
}

function begin(response: ServerResponse): void {
  response.writeHead(200, {
    'Content-Type': 'application/x-ndjson; charset=utf-8',
    'Cache-Control': 'no-store',
  });
}

/** Writes a line, and waits while the client does not read. */
async function write(response: ServerResponse, answer: object): Promise<void> {
  if (!response.headersSent) begin(response);
  if (response.write(`${JSON.stringify(answer)}\n`) || response.destroyed) return;
  await Promise.race([once(response, 'drain'), once(response, 'close')]);
}
