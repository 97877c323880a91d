import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadRunConfig } from '../src/config/load.js';
import { abuse } from './serve-abuse.js';

/**
 * npm run campaign:serve -- --run RUN [--text FILE] [--requests 10000] [--clients 64] [--seed 1]: thousands of requests to a server of a
 * run, most of them malformed, too large, too slow, or of clients that leave; the others ask for lines of the text, drawn at random.
 * Says what answers they got, and after each tenth of them the resident memory of the server.
 */

const MAX_BODY = 100_000;
const TIMEOUT = 2;
/** Times that the memory is told. */
const PARTS = 10;

const { values } = parseArgs({
  options: {
    run: { type: 'string' },
    text: { type: 'string' },
    requests: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '64' },
    seed: { type: 'string', default: '1' },
  },
});
if (values.run === undefined) throw new Error('expected --run RUN');

const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const limits = ['--max-body', `${MAX_BODY}`, '--timeout', `${TIMEOUT}`];
const child = spawn(process.execPath, [main, 'serve', values.run, '--port', '0', ...limits]);
const ended = once(child, 'exit');
let said = '';
const port = await new Promise<number>((resolve, reject) => {
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    const found = /:(\d+)\/ {2}\(Ctrl-C/.exec(said);
    if (found) resolve(Number(found[1]));
  });
  void ended.then(() => reject(new Error(said)));
});

const memory = (): string =>
  /VmRSS:\s*(\d+ kB)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 'unknown';
const { sourceLang: source, targetLang: target } = loadRunConfig(values.run).config.data;
const lines =
  values.text === undefined
    ? ['a b c. d e']
    : readFileSync(values.text, 'utf8')
        .split('\n')
        .filter((line) => line.trim() !== '');
const good = lines.map((q) => ({ q, source, target }));
const started = performance.now();
const total = new Map<string, Map<string, number>>();
const wrong: string[] = [];
for (let part = 0; part < PARTS; part++) {
  const requests = Math.ceil(Number(values.requests) / PARTS);
  const options = { port, requests, seed: Number(values.seed) + part, clients: Number(values.clients) };
  const outcome = await abuse({ ...options, good, maxBody: MAX_BODY, timeout: TIMEOUT });
  wrong.push(...outcome.wrong);
  for (const [kind, counts] of outcome.answers)
    for (const [status, count] of counts) {
      const sums = total.get(kind) ?? new Map<string, number>();
      total.set(kind, sums.set(status, (sums.get(status) ?? 0) + count));
    }
  const minutes = (performance.now() - started) / 60_000;
  process.stdout.write(`${requests * (part + 1)} requests, ${minutes.toFixed(1)} min: ${memory()}\n`);
}
for (const [kind, counts] of total)
  process.stdout.write(
    `${kind}: ${[...counts].map(([status, count]) => `${count} × ${status}`).join(', ')}\n`,
  );
child.kill('SIGTERM');
const [code] = await ended;
process.stdout.write(`wrong: ${wrong.length === 0 ? 'none' : wrong.join('; ')}\nended with code ${code}\n`);
process.exitCode = wrong.length === 0 && code === 0 ? 0 : 1;
