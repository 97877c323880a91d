import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { mainFile } from './run-program.js';

const RUN = path.join(packageRoot(), 'test/cli/fixtures/run-v1');
const FAST = ['--backend', 'cpu', '--max-len-a', '0', '--max-len-b', '3', '--beam', '1'];

function translate(...flags: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [mainFile, 'translate', RUN, ...FAST, '--format', 'jsonl', ...flags]);
}

test('a coprocess that writes a line gets its line while its input stays open', async () => {
  const child = translate('--quiet');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value!);
  child.stdin.write('a b\n');
  assert.deepEqual([(await next()).line, child.exitCode], [1, null]);
  child.stdin.write('\nb c\nhalf of a');
  for (const [line, source] of [
    [2, ''],
    [3, 'b c'],
  ]) {
    const answer = await next();
    assert.deepEqual([answer.line, answer.source], [line, source]);
  }
  child.stdin.end(' line');
  assert.equal((await next()).source, 'half of a line');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('a reader that has left ends it although the input stays open', async () => {
  const child = translate('--quiet');
  const ended = once(child, 'exit');
  child.stdin.write('a\n');
  await once(child.stdout, 'data');
  child.stdout.destroy();
  child.stdin.write('b\n');
  assert.deepEqual(await ended, [0, null]);
});

test('what a buffer holds does not show in what comes out', async () => {
  const text = Array.from({ length: 40 }, (_, i) => 'a b c '.repeat(i % 4)).join('\n');
  const run = (...flags: string[]) =>
    spawnSync(process.execPath, [mainFile, 'translate', RUN, ...FAST, ...flags], {
      input: text,
    }).stdout.toString();
  const expected = run();
  assert.equal(expected.split('\n').length, 41);
  assert.equal(run('--buffer-size', '1'), expected);
  assert.equal(run('--buffer-size', '7'), expected);
});

/** `script` of util-linux gives a program a terminal of its own. */
const found = spawnSync('script', ['--version'], { encoding: 'utf8' });
const skip = found.stdout?.includes('util-linux') ? false : 'script (util-linux) is not installed';

test('who types is asked for each line', { skip }, async () => {
  const words = [process.execPath, mainFile, 'translate', RUN, ...FAST, '--format', 'nbest'];
  const command = words.map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh', NO_COLOR: '1' },
  });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const prompts = () => screen.split('> ').length;
    const before = prompts();
    screen += text;
    if (prompts() > before) child.stdin.write(prompts() <= 3 ? 'a b\n' : '\u0004');
  });
  await once(child, 'close');
  assert.match(screen, /Enter; Ctrl-D ends\.\r\n> a b\r\n0 \|\|\| [^\n]+\s+> a b\s+1 \|\|\| [^\n]+\s+> /);
  assert.match(screen, /Translated 2 sentences/);
});
