import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-native-'));
const said = path.join(folder, 'command-lines');
after(() => rmSync(folder, { recursive: true }));

/** Builds with a compiler that refuses some flags, notes how it is called, and makes empty files. */
function buildWithout(...flags: string[]) {
  const compiler = path.join(folder, 'compiler');
  const lines = [
    '#!/bin/sh',
    'for word; do case "$word" in',
    ...flags.map((flag) => `  ${flag}) echo "error: unrecognized option $word" >&2; exit 1;;`),
    'esac; done',
    `echo "$@" >> '${said}'`,
    'while [ $# -gt 0 ]; do [ "$1" = -o ] && : > "$2"; shift; done; exit 0',
  ];
  writeFileSync(compiler, lines.join('\n'), { mode: 0o755 });
  rmSync(said, { force: true });
  const env = { ...process.env, CXX: compiler, ADMIN_NMT_NATIVE: folder };
  const script = path.join(packageRoot(), 'native', 'build.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--force'], { env, encoding: 'utf8' });
  const commands = readFileSync(said, 'utf8').split('\n');
  const compiled = commands.filter((line) => / -c /.test(line));
  return {
    status,
    stderr,
    sets: compiled.flatMap((line) => / -DISA=(\w+)/.exec(line)?.[1] ?? []).reverse(),
    listed: / -DSETS\(X\)=((?:X\(\w+\) ?)+)-c cpu\.cc/.exec(compiled.join('\n'))?.[1].match(/\w{2,}/g),
  };
}

const skip = process.arch !== 'x64' || process.platform === 'win32' ? 'another processor or system' : false;

test('a compiler that knows all instruction sets builds them', { skip }, () => {
  const all = ['base', 'avx2', 'avx2vnni', 'avx512', 'avx512vnni', 'avx512bf16'];
  const built = buildWithout();
  assert.deepEqual(built, { status: 0, stderr: '', sets: all, listed: all });
  assert.ok(existsSync(path.join(folder, `${process.platform}-${process.arch}.node`)));
});

test('those that the compiler does not know are left out, and said', { skip }, () => {
  const { status, stderr, sets, listed } = buildWithout('-mavxvnni', '-mavx512bf16');
  assert.equal(status, 0);
  assert.deepEqual(sets, ['base', 'avx2', 'avx512', 'avx512vnni']);
  assert.deepEqual(listed, sets);
  const compiler = path.join(folder, 'compiler');
  assert.equal(
    stderr,
    `admin-nmt: the native engine is built without avx2vnni: ${compiler} does not know -mavxvnni.\n` +
      `admin-nmt: the native engine is built without avx512bf16: ${compiler} does not know -mavx512bf16.\n`,
  );
});
