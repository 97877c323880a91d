import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import process from 'node:process';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';

const url = (file: string): string => new URL(`../../../src/${file}.js`, import.meta.url).href;
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Serves what `report`, an expression of JavaScript, makes, in a process of its own. */
async function serve(report: string) {
  const source = `
    import { UserError } from '${url('common/errors')}';
    import { serveReport } from '${url('workflows/report/server')}';
    import { statSync } from 'node:fs';
    await serveReport(${report}, 0);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  children.add(child);
  const ended = once(child, 'exit');
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  await once(child.stderr, 'data');
  const [address] = /http:\/\/127\.0\.0\.1:\d+\//.exec(stderr)!;
  return { child, ended, address, said: () => stderr };
}

/** Asks a server for a path. @returns undefined where it has ended */
async function ask(address: string, agent?: Agent) {
  try {
    const [response] = (await once(get(address, { agent }), 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += chunk;
    return { status: response.statusCode, text };
  } catch {
    return undefined;
  }
}

test('whatever goes wrong while a page is made is an answer of 503, told once, and the next one is served', async () => {
  const { child, ended, address, said } = await serve(`{
    tries: 0,
    page() { throw new UserError({ problem: 'away', where: 'run' }); },
    data() {
      this.tries++;
      if (this.tries <= 2) throw new TypeError('a bug');
      if (this.tries === 3) statSync('/dev/null/x');
      if (this.tries === 4) new ArrayBuffer(2 ** 52);
      if (this.tries === 5) throw 'no error at all';
      return '{}';
    },
  }`);
  const texts: string[] = [];
  for (let i = 0; i < 5; i++) {
    const { status, text } = (await ask(`${address}data.json`))!;
    assert.equal(status, 503);
    texts.push(text);
  }
  assert.deepEqual(texts.slice(0, 2), ['a bug', 'a bug']);
  assert.match(texts[2], /^\/dev\/null\/x: a part of this path is a file/);
  assert.match(texts[3], /^out of memory/);
  assert.deepEqual(await ask(`${address}data.json`), { status: 200, text: '{}' });
  assert.deepEqual(await ask(address), { status: 503, text: 'run: away' });
  assert.equal(said().match(/TypeError: a bug/g)?.length, 1);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});

test('SIGTERM and Ctrl-C end it soon, however many ask, and whoever keeps a connection open', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { child, ended, address } = await serve(`{
      made: 0,
      page() { for (const end = Date.now() + 150; Date.now() < end; ); return String(++this.made); },
      data() { return this.page(); },
    }`);
    const agent = new Agent({ keepAlive: true });
    const idle = await ask(address, agent); // its connection stays open
    assert.equal(idle?.text, '1');
    let answered = 0;
    let most = 0;
    const load = Array.from({ length: 40 }, async (_, i) => {
      for (;;) {
        const found = await ask(i % 2 === 0 ? address : `${address}data.json`);
        if (found === undefined) return;
        answered++;
        most = Math.max(most, Number(found.text));
      }
    });
    get(address)
      .on('error', () => {})
      .destroy(); // has gone before it is answered
    while (answered < 40) await setTimeout(20);
    const asked = performance.now();
    child.kill(signal);
    assert.deepEqual(await ended, [0, null]);
    assert.ok(performance.now() - asked < 3000, `${performance.now() - asked} ms`);
    assert.ok(most < answered / 2, `${most} were made for ${answered} that asked`);
    await Promise.all(load);
    agent.destroy();
  }
});
