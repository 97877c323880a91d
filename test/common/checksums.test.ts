import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { CHECKSUMS_FILE, expectedSum, readChecksums, writeChecksums } from '../../src/common/checksums.js';
import { DamageError } from '../../src/common/errors.js';
import { sumOf } from '../../src/common/file-sum.js';
import { seal } from '../../src/common/seal.js';

const top = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-sums-'));
after(() => fs.rmSync(top, { recursive: true, force: true }));

const FILES = { a: sumOf('text') };

/** A folder whose checksums.json has this content. */
function folderWith(content: unknown): string {
  const folder = fs.mkdtempSync(path.join(top, 'folder-'));
  fs.writeFileSync(path.join(folder, CHECKSUMS_FILE), JSON.stringify(content));
  return folder;
}

test('what is written is read again; a folder without has none', () => {
  const folder = fs.mkdtempSync(path.join(top, 'folder-'));
  assert.equal(readChecksums(folder), undefined);
  assert.equal(expectedSum(folder, 'a'), undefined);
  writeChecksums(folder, { files: FILES });
  assert.deepEqual(readChecksums(folder), { files: FILES, beside: {} });
  assert.deepEqual(expectedSum(folder, 'a'), FILES.a);
  assert.throws(() => expectedSum(folder, 'b'), DamageError);
});

test('damage: another format, sums that are none, no seal', () => {
  const whole = { format: 'admin-nmt/checksums', version: 1, files: FILES };
  assert.deepEqual(readChecksums(folderWith(seal(whole)))?.files, FILES);
  const damaged = [
    seal({ ...whole, format: 'other' }),
    seal({ ...whole, files: { a: 1 } }),
    seal({ ...whole, beside: { a: 1 } }),
    whole,
    null,
  ];
  for (const content of damaged) {
    assert.throws(() => readChecksums(folderWith(content)), DamageError, JSON.stringify(content));
  }
});
