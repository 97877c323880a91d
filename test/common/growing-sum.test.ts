import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { DamageError } from '../../src/common/errors.js';
import { sumOf } from '../../src/common/file-sum.js';
import { checkGrown, GrowingSum, growOn } from '../../src/common/growing-sum.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-growing-'));
after(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, 'a');
/** Bytes of a part. */
const PART = 10;
const CONTENT = Buffer.from('abcdefghijklmnopqrstuvwxyz0123456789');

/** What the first so many bytes are, added a few at a time. */
function grown(bytes: number, step = 7): GrowingSum {
  const sum = new GrowingSum([], PART);
  for (let at = 0; at < bytes; at += step) sum.add(CONTENT.subarray(at, Math.min(bytes, at + step)));
  return sum;
}

test('is that of the file where it is less than a part; else each whole part has its own', () => {
  for (const step of [1, 7, 10, 36]) {
    assert.deepEqual(grown(9, step).sum, sumOf(CONTENT.subarray(0, 9)));
    const { bytes, sha256, parts } = grown(23, step).sum;
    assert.deepEqual([bytes, sha256], [23, sumOf(CONTENT.subarray(20, 23)).sha256]);
    assert.deepEqual(
      parts,
      [0, 10].map((at) => sumOf(CONTENT.subarray(at, at + 10)).sha256),
    );
  }
});

test('goes on where the file was, whatever was added since, and as if it had never stopped', () => {
  writeFileSync(file, CONTENT);
  for (let bytes = 0; bytes <= CONTENT.length; bytes++) {
    const { sum } = grown(bytes);
    const found = growOn(file, sum, PART)!;
    assert.deepEqual(found.sum, sum);
    found.add(CONTENT.subarray(bytes));
    assert.deepEqual(found.sum, grown(CONTENT.length).sum);
    checkGrown(file, sum, PART);
  }
});

test('a sum of an earlier version, of the whole file, is read once', () => {
  writeFileSync(file, CONTENT);
  const whole = sumOf(CONTENT.subarray(0, 25));
  assert.deepEqual(growOn(file, whole, PART)?.sum, grown(25).sum);
  checkGrown(file, whole, PART);
  assert.equal(growOn(file, sumOf('x'.repeat(25)), PART), undefined);
});

test('another file is noticed at its end where training goes on, and anywhere by a check', () => {
  for (const bytes of [25, 30]) {
    const { sum } = grown(bytes);
    for (const at of [0, 9, 10, bytes - 11, bytes - 1]) {
      const changed = Buffer.from(CONTENT);
      changed[at] ^= 1;
      writeFileSync(file, changed);
      const read = PART * (sum.parts!.length - 1);
      assert.equal(growOn(file, sum, PART) === undefined, at >= read, `${bytes} bytes, ${at}`);
      assert.throws(() => checkGrown(file, sum, PART), DamageError);
    }
    for (const left of [0, 9, 20, bytes - 1]) {
      writeFileSync(file, CONTENT);
      truncateSync(file, left);
      assert.equal(growOn(file, sum, PART), undefined);
      assert.throws(() => checkGrown(file, sum, PART), DamageError);
    }
  }
});
