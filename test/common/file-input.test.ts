import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { DamageError, UserError } from '../../src/common/errors.js';
import { openInput, readFileBounded, sumFile } from '../../src/common/file-input.js';
import { sumOf } from '../../src/common/file-sum.js';

const scratch = (): string => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'admin-nmt-input-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const isUserError = (pattern: RegExp) => (error: unknown) =>
  error instanceof UserError && pattern.test(error.message);

test('what cannot be read, or is too long, is refused with its path', () => {
  const folder = scratch();
  const none = path.join(folder, 'none');
  assert.throws(() => readFileBounded(none, 'a file'), isUserError(/none: no such file/));
  assert.throws(() => readFileBounded(folder, 'a file'), isUserError(/a directory, a file was expected/));
  const big = path.join(folder, 'big');
  fs.writeFileSync(big, 'x'.repeat(100));
  assert.throws(() => readFileBounded(big, 'a note', 99), isUserError(/at most 99 bytes, found 100/));
  assert.equal(readFileBounded(big, 'a note', 100).length, 100);
});

test('a pipe by its name, a socket and a device are refused, not waited for', () => {
  const pipe = path.join(scratch(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const link = `${pipe}-link`;
  fs.symlinkSync('pipe', link);
  for (const read of [openInput, sumFile, (file: string) => readFileBounded(file, 'a note')]) {
    for (const place of [pipe, link]) {
      assert.throws(
        () => read(place),
        (error) => error instanceof DamageError && /found a pipe/.test(error.message),
      );
    }
    assert.throws(
      () => read('/dev/zero'),
      isUserError(/^\/dev\/zero: expected a regular file, found a device/),
    );
  }
});

const readIt = `
  import { readFileBounded, sumFile } from '${new URL('../../src/common/file-input.js', import.meta.url)}';
  try {
    console.log(process.argv[1] === 'sum' ? sumFile('/dev/fd/0').sha256 : readFileBounded('/dev/fd/0', 'a note', 10).toString());
  } catch (error) {
    console.log(error.message);
  }`;

/** What a program reads from a pipe at its standard input. */
function piped(text: string, what: 'sum' | 'read'): string {
  const command = 'printf %s "$1" | "$2" --input-type=module -e "$3" "$4"';
  return spawnSync('sh', ['-c', command, 'sh', text, process.execPath, readIt, what], {
    encoding: 'utf8',
  }).stdout.trim();
}

test('an open descriptor is read to its end, or up to the limit', () => {
  assert.equal(piped('0123456789', 'read'), '0123456789');
  assert.match(piped('0123456789a', 'read'), /expected a note of at most 10 bytes, found more/);
  assert.equal(piped('0123456789a', 'sum'), sumOf('0123456789a').sha256);
});

test('a file that tells no size is read', () => {
  const where = '/proc/self/status';
  if (fs.existsSync(where)) assert.match(readFileBounded(where, 'a status').toString(), /^Name:/);
});
