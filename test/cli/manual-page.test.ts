import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { EXAMPLES } from '../../src/cli/examples.js';
import { manualPages } from '../../src/cli/manual-page.js';
import { createProgram } from '../../src/cli/program.js';

const pages = manualPages(await createProgram(), '1.2.3');
const pageOf = (name: string): string => pages.find(({ file }) => file === `${name}.1`)!.text;

/** What a program makes of a page on its standard input; undefined where it is not installed. */
function made(program: string, args: readonly string[], input: string) {
  const { stdout, stderr, error } = spawnSync(program, args, { input, encoding: 'utf8' });
  return error === undefined ? { stdout, stderr } : undefined;
}

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
