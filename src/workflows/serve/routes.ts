import type { IncomingMessage, ServerResponse } from 'node:http';
import { UserError } from '../../common/errors.js';
import { HttpError } from '../http/http-error.js';
import { isOwnHost } from '../http/local-server.js';
import { ClientGone, checkToken, type Service, type Session, withSignal } from './session.js';
import { answerStream } from './stream-route.js';
import { bearerOf } from './token.js';
import { answerTranslate } from './translate-route.js';

interface Route {
  readonly method: 'GET' | 'POST';
  /** Seconds that its work may take; null is no end. */
  readonly limit?: (service: Service) => number | null;
  answer(service: Service, session: Session): Promise<void> | void;
}

const ROUTES: Readonly<Record<string, Route>> = {
  '/': { method: 'GET', answer: ({ page }, { response }) => send(response, 200, 'text/html', page) },
  '/translate': {
    method: 'POST',
    answer: async (service, session) =>
      sendJson(session.response, 200, await answerTranslate(service, session)),
  },
  '/translate/stream': { method: 'POST', limit: () => null, answer: answerStream },
  '/languages': {
    method: 'GET',
    answer: ({ models }, { response }) => sendJson(response, 200, models.languages()),
  },
  '/health': {
    method: 'GET',
    answer: ({ models, ending }, { response }) => {
      const lost = models.all.some(({ lines }) => lines.failure !== undefined);
      const status = lost ? 'a model has ended' : ending ? 'ending' : 'ok';
      sendJson(response, status === 'ok' ? 200 : 503, { status });
    },
  },
  '/metrics': {
    method: 'GET',
    answer: (service, { request, response }) => {
      checkToken(service, bearerOf(request.headers.authorization));
      send(response, 200, 'text/plain; version=0.0.4', service.metrics.format(service.models));
    },
  },
};

/**
 * Answers a request, whatever it is.
 *
 * @param tell told of a bug
 */
export async function answer(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
  tell: (message: string) => void,
): Promise<void> {
  response.on('error', () => {}); // who asked has gone
  const path = (request.url ?? '').split('?')[0];
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  response.once('finish', () => service.metrics.answered(route ? path : 'other', response.statusCode));
  try {
    allowOrigin(service, request, response);
    if (request.method === 'OPTIONS' && route !== undefined) return void response.writeHead(204).end();
    await answerRoute(service, route, request, response);
  } catch (error) {
    if (error instanceof ClientGone || response.destroyed) return service.metrics.left();
    fail(response, error, tell);
  } finally {
    request.resume(); // what still comes of a body that nobody wants
  }
}

async function answerRoute(
  service: Service,
  route: Route | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (route === undefined)
    throw new HttpError(404, `expected one of ${Object.keys(ROUTES).join(', ')}, found another path`);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== route.method) throw new HttpError(405, `expected ${route.method}`, { Allow: route.method });
  if (service.ending && route.method === 'POST')
    throw new HttpError(503, 'the server ends', { 'Retry-After': '10', Connection: 'close' });
  const url = new URL(request.url ?? '', 'http://localhost');
  const { limit = () => 2 * service.config.timeout } = route;
  await withSignal(response, limit(service), async (signal) =>
    route.answer(service, { request, response, url, signal }),
  );
}

/** Refuses pages of others, and lets in those that may ask. @throws HttpError 403 */
function allowOrigin({ config }: Service, { headers }: IncomingMessage, response: ServerResponse): void {
  if (!isOwnHost(headers.host, config.allowHosts))
    throw new HttpError(403, 'this name is none of the server (serve.allow-hosts)');
  const { origin } = headers;
  if (origin === undefined || origin.replace(/^https?:\/\//, '') === headers.host) return;
  if (origin !== config.allowOrigin)
    throw new HttpError(403, 'pages of this origin may not ask (serve.allow-origin)');
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type');
  response.setHeader('Vary', 'Origin');
}

function fail(response: ServerResponse, error: unknown, tell: (message: string) => void): void {
  if (response.headersSent) return void response.destroy();
  if (error instanceof HttpError) {
    for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
    sendJson(response, error.status, { error: error.message });
    return;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  tell(error instanceof UserError ? message : (stack ?? message));
  response.setHeader('Retry-After', '10');
  sendJson(response, 503, { error: message });
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, 'application/json', JSON.stringify(value));
}

function send(response: ServerResponse, status: number, type: string, content: string): void {
  const body = Buffer.from(content);
  response
    .writeHead(status, {
      'Content-Type': `${type}; charset=utf-8`,
      'Content-Length': body.length,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    })
    .end(response.req.method === 'HEAD' ? undefined : body);
}
