import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { readerOf } from '../../src/formats/read-at.js';

test('parts of a file up to its last byte; what lies beyond it, or is gone since, is refused', () => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-read-at-'));
  const file = path.join(folder, 'file');
  fs.writeFileSync(file, 'abcdef');
  const fd = fs.openSync(file, 'r');
  try {
    const read = readerOf(fd, 6, (problem) => new Error(problem));
    assert.equal(read(2, 4).toString(), 'cdef');
    assert.equal(read(6, 0).length, 0);
    for (const [start, bytes] of [
      [3, 4],
      [-1, 2],
      [2, -1],
      [Number.NaN, 1],
    ])
      assert.throws(() => read(start, bytes), /^Error: it is cut short$/);
    fs.truncateSync(file, 5);
    assert.throws(() => read(2, 4), /^Error: it was cut short while it was read$/);
  } finally {
    fs.closeSync(fd);
    fs.rmSync(folder, { recursive: true });
  }
});
