import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { describe, test } from 'node:test';
import { packageRoot, packageVersion } from '../../src/common/files.js';
import { mainFile, type Outcome, runModule, runProgram } from './run-program.js';

const url = (file: string): string => new URL(`../../src/${file}.js`, import.meta.url).href;

/** Runs `work`, the body of an async function, as the program. */
function exitOf(work: string): Outcome {
  return runModule(`
    import { runToExit } from '${url('cli/exit')}';
    import { DivergenceError, InterruptedError, UserError, WrongResultsError } from '${url('common/errors')}';
    await runToExit(async () => { ${work} });
  `);
}

describe('exit codes', () => {
  test('0: done, and what is printed arrives whole', () => {
    const { status, stdout } = exitOf("process.stdout.write('x'.repeat(1 << 20));");
    assert.deepEqual([status, stdout.length], [0, 1 << 20]);
  });

  test('0 even when something still waits', () => {
    assert.equal(exitOf('setInterval(() => {}, 1e6);').status, 0);
  });

  test('1: a bug says so, with its stack, the version and what to do', () => {
    for (const work of [
      "throw new TypeError('x is undefined')",
      "setTimeout(() => { throw new TypeError('x is undefined') }); await new Promise(() => setInterval(() => {}, 1e6))",
      "Promise.reject(new TypeError('x is undefined')); await new Promise(() => setInterval(() => {}, 1e6))",
    ]) {
      const { status, stdout, stderr } = exitOf(work);
      assert.match(stderr, /^error: x is undefined\nTypeError: x is undefined\n {4}at /);
      assert.match(stderr, /This is a bug of admin-nmt[\s\S]*Please report/);
      assert.ok(stderr.includes(`admin-nmt ${packageVersion()}, Node.js ${process.version}`));
      assert.deepEqual([status, stdout], [1, '']);
    }
  });

  test('1: a training that diverged says so, and is no bug', () => {
    const { status, stderr } = exitOf("throw new DivergenceError('training diverged\\n  a hint')");
    assert.deepEqual([status, stderr], [1, 'error: training diverged\n  a hint\n']);
  });

  test('1: an engine that is wrong, which is no bug either', () => {
    const { status, stderr } = exitOf("throw new WrongResultsError('webgpu: wrong results: loss')");
    assert.deepEqual([status, stderr], [1, 'error: webgpu: wrong results: loss\n']);
  });

  test('2: every complaint of a mistake of the user, without a stack', () => {
    const { status, stderr } = exitOf(
      "throw new UserError([{ problem: 'p', where: 'w', hint: 'h' }, { problem: 'q' }])",
    );
    assert.deepEqual([status, stderr], [2, 'error: w: p\n  h\nerror: q\n']);
  });

  test('2: errors of the file system name the file', () => {
    const { status, stderr } = exitOf("(await import('node:fs')).readFileSync('/nowhere/at/all')");
    assert.match(stderr, /^error: \/nowhere\/at\/all: no such file or directory\n/);
    assert.equal(status, 2);
  });

  test('130 and 143: interrupted after saving', () => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ]) {
      const { status, stderr } = exitOf(`throw new InterruptedError('${signal}', 'saved')`);
      assert.deepEqual([status, stderr], [code, 'warning: saved\n']);
    }
  });
});

describe('output that nobody takes', () => {
  /** Runs the program with one of its streams closed by the reader before it writes. */
  async function runUnread(args: readonly string[], stream: 'stdout' | 'stderr') {
    const child = spawn(process.execPath, [mainFile, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    child[stream].destroy();
    let rest = '';
    child[stream === 'stdout' ? 'stderr' : 'stdout'].setEncoding('utf8').on('data', (text) => {
      rest += text;
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    return { status, rest };
  }

  test('a broken pipe on stdout is a quiet end', async () => {
    assert.deepEqual(await runUnread(['config', 'schema'], 'stdout'), { status: 0, rest: '' });
  });

  test('a broken pipe on stderr stops nothing', async () => {
    const args = ['config', 'print', '--set', 'model.residual=pre-ln', '--set', 'model.omega.train=false'];
    const { status, rest } = await runUnread(args, 'stderr');
    assert.match(rest, /residual: pre-ln/);
    assert.equal(status, 0);
  });

  test('a full disk is an error of the user', async (t) => {
    if (!existsSync('/dev/full')) return t.skip('this system has no /dev/full');
    const child = spawn(process.execPath, [mainFile, 'config', 'schema'], {
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
    });
    let stderr = '';
    child.stderr!.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    assert.match(stderr, /^error: standard output: no space left on the device\n/);
    assert.equal(status, 2);
  });
});

describe('standard streams by a shell', { skip: process.platform !== 'linux' && 'only Linux tells' }, () => {
  /** Runs the program by a shell, whose standard output is a pipe. */
  const inShell = (redirection: string, ...args: string[]) => {
    const command = `"$0" "$@" ${redirection}`;
    const { status, stderr } = spawnSync('sh', ['-c', command, process.execPath, mainFile, ...args], {
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return { status, stderr };
  };
  const closed = /^error: standard output: it is closed, or not open for writing\n {2}To drop what/;

  for (const args of [['config', 'schema'], ['--version']]) {
    test(`${args[0]}: closed, or open for reading, is an error of the user`, () => {
      for (const redirection of ['>&-', '1</dev/null']) {
        const { status, stderr } = inShell(redirection, ...args);
        assert.match(stderr, closed);
        assert.equal(status, 2);
      }
    });
    test(`${args[0]}: /dev/null is none, nor where both streams go nowhere`, () => {
      for (const redirection of ['> /dev/null', '<>/dev/null 1>&0 2>&0'])
        assert.deepEqual(inShell(redirection, ...args), { status: 0, stderr: '' });
    });
  }

  test('a standard input that is closed is no empty text', () => {
    const reference = path.join(packageRoot(), 'LICENSE');
    const { status, stderr } = inShell('<&-', 'score', reference);
    assert.match(
      stderr,
      /^error: standard input: it is closed: there is nothing to read\n {2}Give a file or a pipe/,
    );
    assert.equal(status, 2);
    const empty = inShell('</dev/null', 'score', reference);
    assert.match(empty.stderr, /different number|expected 1 line|lines/);
    assert.doesNotMatch(empty.stderr, /closed/);
  });

  test('the text of --help is missed too where the disk is full', (t) => {
    if (!existsSync('/dev/full')) return t.skip('this system has no /dev/full');
    const { status, stderr } = inShell('> /dev/full', 'score', '--help');
    assert.match(stderr, /^error: standard output: no space left on the device\n/);
    assert.equal(status, 2);
  });
});

test('bin/admin-nmt.js without a build says what to do', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-bin-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'bin'));
  const copy = path.join(folder, 'bin', 'admin-nmt.mjs');
  copyFileSync(path.join(packageRoot(), 'bin', 'admin-nmt.js'), copy);
  const { status, stderr } = spawnSync(process.execPath, [copy], { encoding: 'utf8' });
  assert.deepEqual([status, stderr.includes('npm run build')], [1, true]);
});

describe('colours', () => {
  const ESCAPE = '\u001b[';
  const failing = (env: NodeJS.ProcessEnv) => runProgram(['trian'], { env }).stderr.includes(ESCAPE);

  test('none where stderr is no terminal', () => assert.equal(failing({}), false));
  test('FORCE_COLOR asks for them', () => assert.equal(failing({ FORCE_COLOR: '1' }), true));
  test('NO_COLOR forbids them', () => assert.equal(failing({ FORCE_COLOR: '1', NO_COLOR: '1' }), false));
  test('stdout has none at all', () => {
    const { stdout } = runProgram(['config', 'explain'], { env: { FORCE_COLOR: '1' } });
    assert.equal(stdout.includes(ESCAPE), false);
  });
});
