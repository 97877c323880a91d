import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { writeFileAtomic, writeFolderAtomic } from '../../src/common/files.js';
import { makeFolder, removeEmptyFolders } from '../../src/common/folders.js';

const scratch = (): string => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'admin-nmt-folders-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
};

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
});

test('where a folder takes nothing new, that is what is said, by what writes files and folders alike', async (t) => {
  if (!fs.existsSync('/proc/self')) return t.skip('there is no /proc here');
  const said = (place: string) => ({ message: new RegExp(`^${place}: the file system is read-only\n`) });
  assert.throws(() => makeFolder('/proc/none/c'), { code: 'EROFS' });
  assert.throws(() => writeFileAtomic('/proc/none.txt', ''), said('/proc/none.txt'));
  assert.throws(() => writeFileAtomic('/proc/none/a.txt', ''), said('/proc/none/a.txt'));
  await assert.rejects(
    writeFolderAtomic('/proc/none', () => assert.fail()),
    said('/proc/none'),
  );
});

test('makeFolder: through a link to nowhere, and away again', () => {
  const top = fs.realpathSync(scratch());
  const link = path.join(top, 'link');
  fs.symlinkSync('far/real', link);
  const outermost = makeFolder(path.join(link, 'a'))!;
  assert.equal(outermost, path.join(top, 'far'));
  assert.ok(fs.statSync(path.join(top, 'far/real/a')).isDirectory());
  removeEmptyFolders(path.join(link, 'a'), path.join(top, 'far/real/a'));
  removeEmptyFolders(link, outermost);
  assert.deepEqual(fs.readdirSync(top), ['link']);
});
