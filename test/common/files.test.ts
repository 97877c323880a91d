import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { canonicalHash } from '../../src/common/canonical-hash.js';
import { UserError } from '../../src/common/errors.js';
import {
  makeFolder,
  readFileBounded,
  readJson,
  removeEmptyFolders,
  removeLeftovers,
  sha256,
  sha256File,
  writeAtomic,
  writeFileAtomic,
  writeFolderAtomic,
} from '../../src/common/files.js';

const scratch = (): string => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'admin-nmt-files-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
};

test('a failed write leaves the old file and nothing beside it', () => {
  const folder = scratch();
  const file = path.join(folder, 'deep', 'a.txt');
  writeFileAtomic(file, 'old');
  assert.throws(
    () =>
      writeAtomic(file, (fd) => {
        fs.writeSync(fd, 'half');
        throw new Error('torn');
      }),
    /torn/,
  );
  assert.equal(fs.readFileSync(file, 'utf8'), 'old');
  assert.deepEqual(fs.readdirSync(path.dirname(file)), ['a.txt']);
});

test('a folder is replaced whole or not at all', async () => {
  const folder = path.join(scratch(), 'out');
  await writeFolderAtomic(folder, (temporary) => fs.writeFileSync(path.join(temporary, 'a'), '1'));
  await writeFolderAtomic(folder, (temporary) => fs.writeFileSync(path.join(temporary, 'b'), '2'));
  assert.deepEqual(fs.readdirSync(folder), ['b']);
  await assert.rejects(
    writeFolderAtomic(folder, (temporary) => {
      fs.writeFileSync(path.join(temporary, 'c'), '3');
      throw new Error('torn');
    }),
    /torn/,
  );
  assert.deepEqual(fs.readdirSync(folder), ['b']);
  assert.deepEqual(fs.readdirSync(path.dirname(folder)), ['out']);
});

test('what cannot be read is refused with its path', () => {
  const folder = scratch();
  const isUserError = (pattern: RegExp) => (error: unknown) =>
    error instanceof UserError && pattern.test(error.message);
  assert.throws(
    () => readFileBounded(path.join(folder, 'none'), 'a file'),
    isUserError(/none: no such file/),
  );
  assert.throws(() => readFileBounded(folder, 'a file'), isUserError(/a directory, a file was expected/));
  fs.writeFileSync(path.join(folder, 'big'), 'x'.repeat(100));
  assert.throws(
    () => readFileBounded(path.join(folder, 'big'), 'a note', 10),
    isUserError(/at most 10 bytes, found 100/),
  );
  fs.writeFileSync(path.join(folder, 'bad.json'), '{"a":');
  assert.throws(
    () => readJson(path.join(folder, 'bad.json'), 'a state'),
    isUserError(/bad\.json: expected a state in JSON/),
  );
});

test('hashes: a file as its content, a tree whatever the order of its keys', () => {
  const file = path.join(scratch(), 'a');
  fs.writeFileSync(file, 'abc');
  assert.equal(sha256File(file), sha256('abc'));
  assert.equal(
    canonicalHash({ a: 1, b: { c: [1, 2], d: null } }),
    canonicalHash({ b: { d: null, c: [1, 2] }, a: 1 }),
  );
  assert.notEqual(canonicalHash([1, 2]), canonicalHash([2, 1]));
});

test('removeEmptyFolders: as far as they are empty, and no further than asked', () => {
  const top = scratch();
  const folder = path.join(top, 'a', 'b', 'c');
  const outermost = makeFolder(folder)!;
  fs.writeFileSync(path.join(top, 'a', 'file'), '');
  removeEmptyFolders(folder, outermost);
  assert.deepEqual(fs.readdirSync(path.join(top, 'a')), ['file']);
  fs.rmSync(path.join(top, 'a', 'file'));
  removeEmptyFolders(path.join(top, 'a'), outermost);
  assert.deepEqual(fs.readdirSync(top), []);
});

test('makeFolder: those above it too, one that is there, and an error where it cannot be', () => {
  const folder = path.join(scratch(), 'a', 'b');
  assert.equal(makeFolder(folder), path.dirname(folder));
  assert.equal(makeFolder(folder), undefined);
  assert.ok(fs.statSync(folder).isDirectory());
  fs.writeFileSync(path.join(folder, 'file'), '');
  assert.throws(() => makeFolder(path.join(folder, 'file')), { code: 'EEXIST' });
  assert.throws(() => makeFolder(path.join(folder, 'file', 'c')), { code: /^(EEXIST|ENOTDIR)$/ });
  if (fs.existsSync('/proc/self')) assert.throws(() => makeFolder('/proc/none/c'), { code: 'ENOENT' });
});

test('what killed processes have left is removed, and nothing else', () => {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'admin-nmt-left-'));
  for (const name of ['.model.12.0a1b2c3d.tmp', '.checkpoint_last.12.tmp', '.hidden', 'model.tmp']) {
    fs.writeFileSync(path.join(place, name), '');
  }
  fs.mkdirSync(path.join(place, '.checkpoint_1_2.12.0a1b2c3d.tmp.old'));
  removeLeftovers(place);
  assert.deepEqual(fs.readdirSync(place).sort(), ['.hidden', 'model.tmp']);
  fs.rmSync(place, { recursive: true });
});
