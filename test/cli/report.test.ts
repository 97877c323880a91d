import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import * as path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { makeRun, scratchFolder, trainLine, validLine } from './run-folders.js';
import { mainFile, runProgram } from './run-program.js';

const METRICS = trainLine(10, 9) + validLine(10, 8) + trainLine(20, 5) + validLine(20, 4);

function report(cwd: string, ...args: string[]) {
  return runProgram(['report', ...args], { cwd });
}

test('runs in whatever state become one page', () => {
  const folder = scratchFolder();
  makeRun(path.join(folder, 'whole'), { metrics: METRICS, state: { updates: 20 } });
  makeRun(path.join(folder, 'cut'), { metrics: `${METRICS}{"event":"train","ep` });
  makeRun(path.join(folder, 'novalid'), { metrics: trainLine(10, 9), sets: ['train.lr=0.5'] });
  makeRun(path.join(folder, 'empty'), { metrics: '' });
  const outcome = report(folder, 'whole', 'cut', 'novalid', 'empty', 'whole', '-o', 'out/page.html');
  assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [0, '', 'Report: out/page.html\n']);
  const page = readFileSync(path.join(folder, 'out/page.html'), 'utf8');
  assert.match(page, /<h1>4 training runs/);
  assert.match(page, /<code>train\.lr<\/code>.*<td>0\.5<\/td>/);
  assert.match(page, /var uPlot=/);
  assert.match(page, /ω of each shortcut/);
});

test('runs of the same name are called by their paths', () => {
  const folder = scratchFolder();
  for (const name of ['a/run', 'b/run']) makeRun(path.join(folder, name), { metrics: METRICS });
  assert.equal(report(folder, 'a/run', 'b/run/').status, 0);
  const page = readFileSync(path.join(folder, 'report.html'), 'utf8');
  assert.match(page, /<title>a\/run, b\/run\/ – training/);
});

test('a damaged checkpoint is told and left out', () => {
  const folder = scratchFolder();
  makeRun(path.join(folder, 'run'), { metrics: METRICS, state: { updates: 20 } });
  writeFileSync(path.join(folder, 'run/checkpoint_last/model.safetensors'), 'junk');
  const { status, stderr } = report(folder, 'run');
  assert.equal(status, 0);
  assert.match(stderr, /warning: .*safetensors.*\n.*\n {2}The report leaves the weights of this run out/);
});

test('what is no run is refused, and no page is written', () => {
  const folder = scratchFolder();
  mkdirSync(path.join(folder, 'other'));
  makeRun(path.join(folder, 'run'));
  for (const [name, problem] of [
    ['other', /other: expected a run directory, found no config\.yaml in it\n.*admin-nmt runs DIR/],
    ['absent', /absent: no such run directory/],
  ] as const) {
    const { status, stderr } = report(folder, 'run', name);
    assert.equal(status, 2);
    assert.match(stderr, problem);
  }
  assert.equal(existsSync(path.join(folder, 'report.html')), false);
  assert.equal(report(folder, 'run', '--port', '70000').status, 2);
  assert.equal(report(folder, 'run', '--watch', '-o', 'page.html').status, 2);
});

/** Asks a server for a path. */
async function get(address: string, headers = {}): Promise<{ status: number; text: string }> {
  const sent = request(address, { headers }).end();
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, text };
}

test('--watch serves a page that has what is new, to this machine alone, until Ctrl-C', async () => {
  const folder = scratchFolder();
  makeRun(path.join(folder, 'run'), { metrics: METRICS, lock: 'own' });
  const child = spawn(process.execPath, [mainFile, 'report', 'run', '--watch'], { cwd: folder });
  const ended = once(child, 'exit');
  try {
    const [said] = await once(child.stderr, 'data');
    const [address] = /http:\/\/127\.0\.0\.1:\d+\//.exec(String(said))!;
    const page = await get(address);
    assert.match(page.text, /connect-src 'self'/);
    const before = JSON.parse((await get(`${address}data.json`)).text);
    appendFileSync(path.join(folder, 'run/metrics.jsonl'), validLine(30, 3));
    const after = JSON.parse((await get(`${address}data.json`)).text);
    assert.deepEqual(before.runs[0].curves['valid-loss'].values, [8, 4]);
    assert.deepEqual(after.runs[0].curves['valid-loss'].values, [8, 4, 3]);
    assert.match(after.sections.summary, /running/);
    assert.equal((await get(`${address}etc/passwd`)).status, 404);
    assert.equal((await get(address, { host: 'elsewhere.example' })).status, 403);
  } finally {
    child.kill('SIGINT');
  }
  assert.deepEqual(await ended, [0, null]);
});
