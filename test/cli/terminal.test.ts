import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { FakeScreen } from '../common/screen.js';
import { mainFile } from './run-program.js';

const CONFIG = path.join(packageRoot(), 'test', 'cli', 'fixtures', 'run-v1', 'config.yaml');
const DATA = path.join(packageRoot(), 'test', 'data', 'fixtures', 'joint');
const COLUMNS = 80;

/** `script` of util-linux gives a program a terminal of its own. */
const found = spawnSync('script', ['--version'], { encoding: 'utf8' });
const skip = found.stdout?.includes('util-linux') ? false : 'script (util-linux) is not installed';

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-terminal-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/**
 * Trains in a terminal.
 *
 * @param flags after which Ctrl-C is pressed, where `interruptAt` is seen
 * @returns the rows of the screen with the prompt of a shell after it
 */
async function trainOnTerminal(flags: string, interruptAt?: string): Promise<string[]> {
  const command = `stty cols ${COLUMNS} rows 24; exec '${process.execPath}' '${mainFile}' train '${CONFIG}' --destdir '${DATA}' --validate-interval 1 --save-interval 0 ${flags}`;
  const options = { cwd: folder, env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh', NO_COLOR: '1' } };
  const child = spawn('script', ['-qec', command, '/dev/null'], options);
  let output = '';
  let pressed = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (interruptAt === undefined || pressed || !output.includes(interruptAt)) return;
    pressed = true;
    child.stdin.write('\u0003');
  });
  await once(child, 'close');
  const screen = new FakeScreen(COLUMNS);
  screen.write(output);
  return screen.prompt();
}

test('a training on a terminal, from its start to its end', { skip }, async () => {
  const rows = await trainOnTerminal('--save-dir whole --max-update 25');
  const text = rows.join('\n');
  assert.match(
    text,
    /\nModel: [\s\S]*\ntrain █{10} 100% \d+\/\d+ · (?:\d+m)?\d+s\nDone, since [\s\S]*--input FILE\n\$ $/,
  );
  assert.equal(rows.filter((row) => row.startsWith('train ')).length, 1, text);
  const validations = rows.filter((row) => /^epoch \d+ · \d+ updates · valid loss/.test(row));
  assert.equal(validations.length, 25, text);
});

test('Ctrl-C on a terminal', { skip }, async () => {
  const rows = await trainOnTerminal('--save-dir broken --max-update 900', 'epoch 9 ·');
  const text = rows.join('\n');
  assert.match(
    text,
    /\nwarning: SIGINT: [\s\S]*\ntrain [█░]{10} +\d+% [^\n]*\nwarning: Interrupted after [\s\S]*\n\$ $/,
  );
  assert.equal(rows.filter((row) => row.startsWith('train ')).length, 1, text);
});
