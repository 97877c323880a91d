import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { abuse } from '../../scripts/serve-abuse.js';
import { runProgram } from './run-program.js';
import { ask, RUN, type Served, start, translate } from './served.js';

const MAX_BODY = 2000;

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-serve-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('a server', () => {
  let served: Served;
  before(async () => {
    served = await start(
      '--max-body',
      `${MAX_BODY}`,
      '--max-lines',
      '40',
      '--max-request-tokens',
      '300',
      '--timeout',
      '1',
    );
  });
  after(() => served.child.kill('SIGKILL'));

  test('a text, a list, alternatives, a form, a language to be found', async () => {
    const { port } = served;
    const one = JSON.parse((await translate(port, { q: 'a b', alternatives: 1 })).text);
    assert.deepEqual(Object.keys(one), ['alternatives', 'translatedText']);
    assert.equal(one.alternatives.length, 1);
    const both = JSON.parse((await translate(port, { q: ['a b', '', 'b. \n\n a b'], source: 'auto' })).text);
    assert.equal(both.translatedText[0], one.translatedText);
    assert.equal(both.translatedText[1], '');
    assert.match(both.translatedText[2], /^[^\n]+ \n\n [^\n]+$/);
    assert.deepEqual(both.detectedLanguage[0], { confidence: 100, language: 'it' });
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const { text } = await ask(port, '/translate', 'q=a+b&source=it&target=en', form);
    assert.deepEqual(JSON.parse(text), { translatedText: one.translatedText });
    assert.deepEqual(JSON.parse((await ask(port, '/languages')).text), [
      { code: 'it', name: 'Italian', targets: ['en'] },
    ]);
  });

  test('what is malformed or too much is refused with a word', async () => {
    const { port } = served;
    for (const [body, status, word] of [
      ['{', 400, /expected JSON/],
      ['[]', 400, /expected a JSON object/],
      ['{"target": "en"}', 400, /expected q to be a text or a list of texts, found nothing/],
      ['{"q": "a", "target": "it"}', 400, /expected languages of a model \(it to en\), found auto to it/],
      ['{"q": "a", "target": "en", "format": "html"}', 400, /format html is not offered/],
      ['{"q": "a", "target": "en", "alternatives": -1}', 400, /alternatives/],
      [JSON.stringify({ q: Array(41).fill('a'), target: 'en' }), 413, /at most 40 sentences, found 41/],
      [JSON.stringify({ q: 'a '.repeat(400), target: 'en' }), 413, /at most 300 tokens, found/],
      [JSON.stringify({ q: 'a'.repeat(MAX_BODY), target: 'en' }), 413, /at most 2000 bytes/],
    ] as const) {
      const answer = await ask(port, '/translate', body);
      assert.equal(answer.status, status, body.slice(0, 60));
      assert.match(JSON.parse(answer.text).error, word);
    }
    const bad = Buffer.from('{"q": "\xff", "target": "en"}', 'latin1') as unknown as string;
    assert.match((await ask(port, '/translate', bad)).text, /expected UTF-8/);
    assert.equal((await ask(port, '/translate', 'q', { 'Content-Type': 'text/plain' })).status, 415);
    assert.equal((await ask(port, '/nothing')).status, 404);
    assert.equal((await ask(port, '/translate')).status, 405);
  });

  test('pages of others are kept out', async () => {
    const { port } = served;
    const from = async (headers: Record<string, string>) =>
      (await ask(port, '/languages', undefined, headers)).status;
    assert.equal(await from({ Host: 'evil.example' }), 403);
    assert.equal(await from({ Origin: 'https://evil.example' }), 403);
    assert.equal(await from({ Origin: `http://127.0.0.1:${port}` }), 200);
  });

  test('lines in, lines out while the request goes on', async () => {
    const { port } = served;
    const sent = request({
      host: '127.0.0.1',
      port,
      path: '/translate/stream?source=it&target=en',
      method: 'POST',
    });
    sent.write('"a b"\n');
    const [response] = await once(sent, 'response');
    const parts = response.setEncoding('utf8')[Symbol.asyncIterator]();
    assert.equal(response.statusCode, 200);
    const first = JSON.parse((await parts.next()).value);
    sent.write('{"q": "a b", "id": 7}');
    sent.end('\n5\n');
    let rest = '';
    for await (const part of parts) rest += part;
    const [second, last] = rest
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(second, { id: 7, ...first });
    assert.match(last.error, /line 3: expected a JSON text/);
  });

  test('requests of every bad kind, and clients that leave: nothing hangs, nothing is left behind', async () => {
    const { port } = served;
    const good = ['a b. b', 'b'].map((q) => ({ q, source: 'it', target: 'en' }));
    const limits = { maxBody: MAX_BODY, timeout: 1 };
    const { wrong, answers } = await abuse({ port, requests: 250, seed: 3, clients: 24, good, ...limits });
    assert.deepEqual(wrong, []);
    assert.ok(
      [...answers.values()].every((counts) => counts.size > 0),
      'each kind came up',
    );
    const metrics = (await ask(port, '/metrics')).text;
    assert.match(metrics, /^admin_nmt_sentences_waiting\{.*\} 0$/m);
    assert.match(metrics, /^admin_nmt_requests_total\{route="\/translate",status="413"\} [1-9]/m);
    assert.match(metrics, /^admin_nmt_request_seconds_bucket\{le="\+Inf"\} [1-9]/m);
    assert.equal((await translate(port, good[0])).status, 200);
    assert.match((await ask(port, '/')).text, /connect-src 'self'/);
  });
});

test('a token is asked for, and a file of it that others can read is told', async () => {
  const file = path.join(folder, 'token');
  writeFileSync(file, 'secret-of-ours\n');
  chmodSync(file, 0o644);
  const { child, port, said } = await start('--token-file', file);
  try {
    assert.match(said(), /warning: .*token: others can read the token: chmod 600/);
    assert.equal((await translate(port, { q: 'a' })).status, 401);
    assert.equal((await translate(port, { q: 'a' }, { Authorization: 'Bearer of-another' })).status, 401);
    assert.equal((await translate(port, { q: 'a' }, { Authorization: 'Bearer secret-of-ours' })).status, 200);
    assert.equal((await translate(port, { q: 'a', api_key: 'secret-of-ours' })).status, 200);
    assert.deepEqual([(await ask(port, '/metrics')).status, (await ask(port, '/health')).status], [401, 200]);
  } finally {
    child.kill('SIGKILL');
  }
});

test('SIGTERM: what was begun is finished, and nothing new is taken', async () => {
  const { child, port, ended } = await start('--max-len-b', '200', '--beam', '5', '--min-len', '60');
  const asked = translate(port, { q: Array(30).fill('a b a b') });
  for (let running = 0; running === 0; )
    running = Number(/sentences_running\{.*\} (\d+)/.exec((await ask(port, '/metrics')).text)![1]);
  child.kill('SIGTERM');
  const { status, text } = await asked;
  assert.deepEqual([status, JSON.parse(text).translatedText.length], [200, 30]);
  assert.deepEqual(await ended, [0, null]);
});

test('too much waits: 429, and when to ask again; what has no time is refused', async () => {
  const { child, port } = await start(
    '--max-waiting-tokens',
    '20',
    '--batch-size',
    '1',
    '--min-len',
    '20',
    '--max-len-b',
    '30',
  );
  try {
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => translate(port, { q: Array(4).fill('a b') })),
    );
    const busy = answers.filter(({ status }) => status === 429);
    assert.ok(busy.length > 0 && busy.length < 12);
    assert.ok(busy.every(({ headers }) => Number(headers['retry-after']) > 0));
  } finally {
    child.kill('SIGKILL');
  }
});

test('what cannot be served is refused before a model is loaded', async () => {
  const served = (...args: string[]) => runProgram(['serve', ...args], { cwd: folder });
  const refused = (outcome: ReturnType<typeof served>, message: RegExp) => {
    assert.equal(outcome.status, 2);
    assert.match(outcome.stderr, message);
  };
  refused(served(RUN, '--token-file', 'absent'), /absent: no such file or directory/);
  writeFileSync(path.join(folder, 'short'), 'abc');
  refused(served(RUN, '--token-file', 'short'), /short: expected a token of at least 8 characters/);
  refused(served(RUN, RUN), /expected runs of different languages, found two from it to en/);
  refused(served('absent'), /absent: no such run directory/);
  refused(served(RUN, '--port', '70000'), /port/);
  const { child, port } = await start();
  try {
    refused(
      served(RUN, '--backend', 'cpu', '--port', `${port}`),
      /expected a free port, found one in use\n {2}--port 0/,
    );
  } finally {
    child.kill('SIGKILL');
  }
});
