import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { EXAMPLES } from '../../src/cli/examples.js';
import { manualPages } from '../../src/cli/manual-page.js';
import { createProgram } from '../../src/cli/program.js';
import { packageRoot } from '../../src/common/files.js';

const pages = manualPages(await createProgram(), '1.2.3');
const pageOf = (name: string): string => pages.find(({ file }) => file === `${name}.1`)!.text;

/** What a program makes of a page on its standard input; undefined where it is not installed. */
function made(program: string, args: readonly string[], input: string) {
  const { stdout, stderr, error } = spawnSync(program, args, { input, encoding: 'utf8' });
  return error === undefined ? { stdout, stderr } : undefined;
}

test('npm is told of each', () => {
  const { man } = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8'));
  assert.deepEqual(man, pages.map(({ file }) => `man/${file}`).sort());
});

test('a page for the program and each command', () => {
  const names = [
    'admin-nmt',
    'admin-nmt-config',
    ...Object.keys(EXAMPLES).map((name) => `admin-nmt-${name.replace(' ', '-')}`),
  ];
  assert.deepEqual(pages.map(({ file }) => file).sort(), names.map((name) => `${name}.1`).sort());
  assert.ok(
    pages.every(({ text }) => /^[ -~\n]*$/.test(text)),
    'more than ASCII',
  );
});

test('groff finds nothing to warn of, for a terminal and for paper', (t) => {
  const all = pages.map(({ text }) => text).join('');
  for (const device of ['utf8', 'ps']) {
    const { stderr } = made('groff', ['-man', '-ww', `-T${device}`], all) ?? {};
    if (stderr === undefined) return t.skip('groff is not installed');
    assert.equal(stderr, '');
  }
});

test('what roff would take for its own is text', (t) => {
  const command = new Command('x').description('.a \\nb').option('-o', "'c");
  const shown = made('groff', ['-man', '-ww', '-Tascii'], manualPages(command, '1')[0].text);
  if (shown === undefined) return t.skip('groff is not installed');
  assert.equal(shown.stderr, '');
  for (const text of ['.a \\nb', "'c"]) assert.ok(shown.stdout.includes(text), shown.stdout);
});

test('as it is read: flags, headings, examples', (t) => {
  const shown = made(
    'groff',
    ['-man', '-Tutf8', '-P-c', '-P-b', '-P-u', '-rLL=200n'],
    pageOf('admin-nmt-train'),
  )?.stdout;
  if (shown === undefined) return t.skip('groff is not installed');
  for (const text of [
    'admin-nmt-train - Dataset → run directory with checkpoints',
    'admin-nmt train [options] [config...]',
    '-s, --source-lang lang',
    '--[no-]prepared',
    'DATA — THE PARALLEL TEXT',
    '--save-dir post-ln --stop-after 1h',
    'admin-nmt(1), docs/train.md in the folder',
    'admin-nmt 1.2.3',
  ])
    assert.match(shown, new RegExp(text.replace(/[[\](){}.*+?\\^$|]/g, '\\$&'), 'i'));
});
