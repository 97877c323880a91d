import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import type { Readable, Writable } from 'node:stream';

/** A browser without a window, led by the DevTools protocol over a pipe: no port, and no library. */

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser that is installed; undefined where there is none. */
export const chromium: string | undefined = (process.env.PATH ?? '')
  .split(path.delimiter)
  .flatMap((folder) => NAMES.map((name) => path.join(folder, name)))
  .find(isProgram);

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const FLAGS = [
  ...['--headless', '--remote-debugging-pipe', '--no-first-run', '--disable-gpu', '--no-proxy-server'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-sandbox'],
  ...['--disable-extensions', '--disable-dev-shm-usage', '--disable-breakpad'],
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** What the protocol sends: the answer to a call, or an event. */
interface Message {
  id?: number;
  method?: string;
  params?: { request?: { url: string } };
  result?: Record<string, unknown>;
  error?: { message: string };
}

/** A page of a browser. */
export class Page {
  /** Addresses of all that the page has asked for. */
  readonly asked: string[] = [];
  private readonly child: ChildProcess;
  private readonly folder: string;
  private readonly waiting = new Map<number, (message: Message) => void>();
  private session: string | undefined;
  private calls = 0;

  private constructor(browser: string) {
    this.folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-browser-'));
    const args = [...FLAGS, `--user-data-dir=${this.folder}`, 'about:blank'];
    // Its own group, so that what it starts ends with it.
    this.child = spawn(browser, args, {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const from = this.child.stdio[4] as Readable;
    let text = '';
    from.setEncoding('utf8').on('data', (part: string) => {
      const messages = (text + part).split('\0');
      text = messages.pop()!;
      for (const message of messages) this.hear(JSON.parse(message));
    });
    (this.child.stdio[3] as Writable).on('error', () => {}); // it has ended
    this.child.once('exit', () => {
      for (const answer of this.waiting.values()) answer({ error: { message: 'the browser has ended' } });
    });
  }

  /** Starts a browser with a blank page. */
  static async open(browser: string): Promise<Page> {
    const page = new Page(browser);
    const { targetInfos } = await page.call('Target.getTargets');
    const { targetId } = (targetInfos as { type: string; targetId: string }[]).find(
      ({ type }) => type === 'page',
    )!;
    const { sessionId } = await page.call('Target.attachToTarget', { targetId, flatten: true });
    page.session = sessionId as string;
    await page.call('Network.enable');
    return page;
  }

  /** A command of the protocol. */
  call(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.calls;
    const { session: sessionId } = this;
    (this.child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ result, error }) => {
        this.waiting.delete(id);
        if (error === undefined) resolve(result ?? {});
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  }

  /** What an expression comes to in the page; a promise is awaited. */
  async value(expression: string): Promise<unknown> {
    const how = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.call('Runtime.evaluate', how);
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: unknown }).value;
  }

  /** Waits until a condition holds in the page. */
  async until(condition: string, milliseconds = 20_000): Promise<void> {
    const end = Date.now() + milliseconds;
    while (Date.now() < end) {
      if ((await this.value(condition)) === true) return;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    throw new Error(`expected ${condition}; the page has: ${await this.value('document.body.innerText')}`);
  }

  async close(): Promise<void> {
    const ended = once(this.child, 'exit');
    if (this.child.exitCode === null) process.kill(-this.child.pid!, 'SIGKILL');
    await ended;
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }

  private hear(message: Message): void {
    if (message.id !== undefined) this.waiting.get(message.id)?.(message);
    else if (message.method === 'Network.requestWillBeSent') this.asked.push(message.params!.request!.url);
  }
}
