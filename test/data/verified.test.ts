import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { sumOf } from '../../src/common/file-sum.js';
import { VERIFIED_FILE, verifyFiles } from '../../src/data/verified.js';
import { refusal, scratchFolder, writeFiles } from './scratch.js';

const CONTENT = { a: 'aaaa', b: 'bbbb' };
const SUMS = Object.fromEntries(Object.entries(CONTENT).map(([name, text]) => [name, sumOf(text)]));
const DAMAGED = refusal(/a: the file is not as it was written/);

function verified(): { folder: string; file: string; verify: (again?: boolean) => void } {
  const folder = writeFiles(scratchFolder(), CONTENT);
  const verify = (again?: boolean) => verifyFiles(folder, SUMS, 'hint', { again });
  verify();
  return { folder, file: path.join(folder, 'a'), verify };
}

/** Other content, which looks as what was there. */
function damageUnseen(file: string): void {
  const { atime, mtime } = fs.statSync(file);
  fs.writeFileSync(file, 'aaab');
  fs.utimesSync(file, atime, mtime);
}

test('what was whole is trusted while it looks the same, unless all is to be read again', () => {
  const { file, verify } = verified();
  fs.utimesSync(file, 1e9, 1e9); // whole milliseconds, which utimes can put back
  verify();
  damageUnseen(file);
  verify();
  assert.throws(() => verify(true), DAMAGED);
});

test('a file that was changed, or is another of that name, is read', () => {
  const changed = verified();
  fs.writeFileSync(changed.file, 'aaab');
  fs.utimesSync(changed.file, 5, 5);
  assert.throws(() => changed.verify(), DAMAGED);
  const replaced = verified();
  fs.utimesSync(replaced.file, 1e9, 1e9);
  replaced.verify();
  fs.writeFileSync(`${replaced.file}2`, 'aaab');
  fs.utimesSync(`${replaced.file}2`, 1e9, 1e9);
  fs.renameSync(`${replaced.file}2`, replaced.file);
  assert.throws(() => replaced.verify(), DAMAGED);
  const gone = verified();
  fs.rmSync(gone.file);
  assert.throws(() => gone.verify(), refusal(/a: no such file|a: .*not/));
});

test('notes that are damaged, or of other checksums, say nothing', () => {
  const { folder, file, verify } = verified();
  fs.utimesSync(file, 1e9, 1e9);
  verify();
  damageUnseen(file);
  assert.throws(
    () => verifyFiles(folder, { ...SUMS, a: sumOf('aaaa+') }, 'hint'),
    refusal(/a: .*expected 5 bytes/),
  );
  fs.writeFileSync(path.join(folder, VERIFIED_FILE), '[');
  assert.throws(() => verify(), DAMAGED);
});
