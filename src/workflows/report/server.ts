import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { explainFileError, UserError } from '../../common/errors.js';
import { log } from '../../common/log.js';
import { isOwnHost, LOOPBACK, listen, once } from '../http/local-server.js';

/** What is served, made anew for each request. */
export interface ServedReport {
  page(): string;
  /** JSON. */
  data(): string;
}

/**
 * Serves a report to this machine alone until SIGINT or SIGTERM. What goes wrong meanwhile is an answer, no end.
 *
 * @param port 0 is any free one
 * @throws UserError where the port cannot be had
 */
export async function serveReport(report: ServedReport, port: number): Promise<void> {
  const turns = new Turns();
  const contents: Contents = {
    '/': { type: 'text/html', make: () => turns.next('page', () => report.page()) },
    '/data.json': { type: 'application/json', make: () => turns.next('data', () => report.data()) },
  };
  const tell = once((message) => log.warn(`Watching goes on: ${message}`));
  const server = createServer((request, response) => void answer(contents, request, response, tell));
  log.info(`Watching: ${await listen(server, LOOPBACK, port, tell)}  (Ctrl-C ends)`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  turns.end();
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

/** What there is, by its path. */
type Contents = Readonly<Record<string, { type: string; make: () => Promise<string> }>>;

/**
 * Makes contents one after the other. Who asks for one that is not begun yet shares it, and between two of them the
 * process sees its signals: however many ask, nobody waits long.
 */
class Turns {
  private readonly waiting = new Map<string, Promise<string>>();
  private last: Promise<unknown> = Promise.resolve();
  private ended = false;

  next(name: string, make: () => string): Promise<string> {
    const waiting = this.waiting.get(name);
    if (waiting !== undefined) return waiting;
    const own = this.last
      .then(() => setImmediate())
      .then(() => {
        this.waiting.delete(name);
        return this.ended ? '' : make();
      });
    this.waiting.set(name, own);
    this.last = own.catch(() => {}); // told to who asked
    return own;
  }

  /** Nothing more is made. */
  end(): void {
    this.ended = true;
  }
}

async function answer(
  contents: Contents,
  { url = '', method, headers }: IncomingMessage,
  response: ServerResponse,
  tell: (message: string) => void,
): Promise<void> {
  const send = (status: number, type: string, content: string): void => {
    response
      .writeHead(status, { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-store' })
      .end(method === 'HEAD' ? undefined : content);
  };
  response.on('error', () => {}); // who asked has gone
  if (!isOwnHost(headers.host)) return send(403, 'text/plain', 'this page is for this machine alone');
  if (!Object.hasOwn(contents, url)) return send(404, 'text/plain', 'there is / and /data.json');
  const { type, make } = contents[url];
  try {
    send(200, type, await make());
  } catch (error) {
    // A run directory may be away, or half-written, for a moment; a bug is told to us as well.
    const explained = explainFileError(error);
    const { message, stack } = explained instanceof Error ? explained : new Error(String(explained));
    tell(explained instanceof UserError ? message : (stack ?? message));
    send(503, 'text/plain', message);
  }
}
