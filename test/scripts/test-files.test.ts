import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/common/files.js';

const { aloneBecause, processesOf, testFiles } = await import(
  pathToFileURL(path.join(packageRoot(), 'scripts/test-files.mjs')).href
);

test('what changes or measures the process has one of its own', () => {
  for (const text of [
    "import x from 'x';\nbefore(() => initBackend('cpu'));",
    'beforeEach(clear);',
    "await initBackend('cpu');",
    "const { answer } = await import('./answer.js');",
    "test('x', () => { process.env.TERM = 'xterm'; });",
    "process.env['TERM'] = 'xterm';",
    'delete process.env.TERM;',
    'process.chdir(folder);',
    "process.on('exit', tidy);",
    "Object.defineProperty(process.stderr, 'columns', { value: 80 });",
    'log.setQuiet(true);',
    "t.mock.method(process.stderr, 'write', () => true);",
    'const { maxRSS } = process.resourceUsage();',
  ])
    assert.notEqual(aloneBecause(text), undefined, text);
});

test('what does not may share one', () => {
  for (const text of [
    "describe('on cpu', () => {\n  before(() => initBackend('cpu'));\n  test('x', async () => {\n    await work();\n  });\n});",
    'after(() => rmSync(folder, { recursive: true }));',
    "const shell = process.env.SHELL === undefined ? 'sh' : process.env['SHELL'];",
    "process.once('exit', tidy);",
    "import { log } from './log.js';\nlog.info('x');",
  ])
    assert.equal(aloneBecause(text), undefined, text);
});

test('every test file is run, in one process alone, with others of its room or by itself', () => {
  const processes: string[][] = processesOf(testFiles());
  assert.deepEqual(processes.flat().sort(), testFiles());
  assert.ok(processes.length < testFiles().length / 2, `${processes.length} processes`);
  for (const files of processes)
    assert.equal(new Set(files.map((file) => path.dirname(file).split('/')[0])).size, 1, files.join());
  assert.deepEqual(processesOf(testFiles(['scripts/test-files'])), [['scripts/test-files.test.js']]);
});
