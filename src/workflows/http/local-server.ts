import type { Server } from 'node:http';
import { isIP } from 'node:net';
import { explainFileError, UserError } from '../../common/errors.js';

export const LOOPBACK = '127.0.0.1';

/**
 * Has a server listen.
 *
 * @param port 0 is any free one
 * @param onError told of what goes wrong later on, such as no descriptor for a connection
 * @returns its address, as one types it
 * @throws UserError where the port cannot be had
 */
export async function listen(
  server: Server,
  host: string,
  port: number,
  onError: (message: string) => void,
): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explainPort(error, host, port)));
    server.listen(port, host, resolve);
  });
  server.on('error', ({ message }) => onError(message));
  const { port: found } = server.address() as { port: number };
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${found}/`;
}

/**
 * Whether a request is meant for this server: a name that leads here and is not its own is that of a page of somebody
 * else, which wants to read what only this machine may. An address in numbers is nobody's name.
 *
 * @param host the header
 * @param names further names that are its own
 */
export function isOwnHost(host: string | undefined, names: readonly string[] = []): boolean {
  const [, address, name = ''] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d+)?$/i.exec(host ?? '') ?? [];
  if (address !== undefined) return isIP(address) === 6;
  return isIP(name) === 4 || name === 'localhost' || names.includes(name);
}

/** Tells each message once. */
export function once(tell: (message: string) => void): (message: string) => void {
  const told = new Set<string>();
  return (message) => {
    if (told.has(message)) return;
    told.add(message);
    tell(message);
  };
}

function explainPort(error: NodeJS.ErrnoException, host: string, port: number): unknown {
  const where = host === LOOPBACK ? `--port ${port}` : `--host ${host} --port ${port}`;
  const problems: Record<string, string> = {
    EADDRINUSE: 'expected a free port, found one in use',
    EACCES: 'no permission to open this port',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'this machine has no such address',
  };
  const problem = problems[error.code ?? ''];
  if (problem === undefined) return explainFileError(error, where);
  return new UserError({ problem, where, hint: '--port 0 takes any free one.' });
}
