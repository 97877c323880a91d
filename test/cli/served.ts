import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import * as path from 'node:path';
import process from 'node:process';
import { packageRoot } from '../../src/common/files.js';
import { mainFile } from './run-program.js';

/** A server of the run of the fixtures, and who asks it. */

export const RUN = path.join(packageRoot(), 'test/cli/fixtures/run-v1'); // from it to en
export const FAST = ['--backend', 'cpu', '--max-len-a', '0', '--max-len-b', '3', '--beam', '2'];

export interface Served {
  child: ChildProcess;
  port: number;
  ended: Promise<unknown[]>;
  said: () => string;
}

/** Starts a server; it is up when this resolves. */
export const start = (...flags: string[]): Promise<Served> => startRun(RUN, ...flags);

/** The same of another run. */
export async function startRun(run: string, ...flags: string[]): Promise<Served> {
  const child = spawn(process.execPath, [mainFile, 'serve', run, ...FAST, '--port', '0', ...flags], {
    env: { ...process.env, NO_COLOR: '1' },
  });
  let text = '';
  const ended = once(child, 'exit');
  const port = await new Promise<number>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const found = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(text);
      if (found) resolve(Number(found[1]));
    });
    void ended.then(() => reject(new Error(text)));
  });
  return { child, port, ended, said: () => text };
}

export async function ask(port: number, where: string, body?: string, headers: Record<string, string> = {}) {
  const method = body === undefined ? 'GET' : 'POST';
  const type = { 'Content-Type': 'application/json', Connection: 'close' };
  const sent = request({ host: '127.0.0.1', port, path: where, method, headers: { ...type, ...headers } });
  sent.end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode as number, text, headers: response.headers };
}

export const translate = (port: number, fields: object, headers?: Record<string, string>) =>
  ask(port, '/translate', JSON.stringify({ source: 'it', target: 'en', ...fields }), headers);
