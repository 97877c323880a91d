import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import process from 'node:process';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';

const HOST = '127.0.0.1';

/** What is served, made anew for each request. */
export interface ServedReport {
  page(): string;
  /** JSON. */
  data(): string;
}

/**
 * Serves a report to this machine alone until SIGINT or SIGTERM.
 *
 * @param port 0 is any free one
 * @throws UserError where the port cannot be had
 */
export async function serveReport(report: ServedReport, port: number): Promise<void> {
  const server = createServer((request, response) => answer(report, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explainPort(error, port)));
    server.listen(port, HOST, resolve);
  });
  const { port: found } = server.address() as { port: number };
  log.info(`Watching: http://${HOST}:${found}/  (Ctrl-C ends)`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

function answer(
  report: ServedReport,
  { url, method, headers }: IncomingMessage,
  response: ServerResponse,
): void {
  const send = (status: number, type: string, content: string): void => {
    response
      .writeHead(status, { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-store' })
      .end(method === 'HEAD' ? undefined : content);
  };
  // Another name that leads here is a page of somebody else, which wants to read this one.
  const own = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '');
  try {
    if (!own) send(403, 'text/plain', 'this page is for this machine alone');
    else if (url === '/') send(200, 'text/html', report.page());
    else if (url === '/data.json') send(200, 'application/json', report.data());
    else send(404, 'text/plain', 'there is / and /data.json');
  } catch (error) {
    // A run directory may be away for a moment; a bug is one all the same.
    if (!(error instanceof UserError)) throw error;
    send(503, 'text/plain', error.message);
  }
}

function explainPort(error: NodeJS.ErrnoException, port: number): unknown {
  const problems: Record<string, string> = {
    EADDRINUSE: 'expected a free port, found one in use',
    EACCES: 'no permission to open this port',
  };
  const problem = problems[error.code ?? ''];
  if (problem === undefined) return error;
  return new UserError({ problem, where: `--port ${port}`, hint: 'Leave --port out to take any free one.' });
}
