import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { canonicalHash } from '../../src/common/canonical-hash.js';
import { UserError } from '../../src/common/errors.js';
import {
  readJson,
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
      writeAtomic(file, (write) => {
        write('half');
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

test('a folder: where its name is a link, what that names is made or replaced, with the mode it had', async () => {
  const top = scratch();
  const link = path.join(top, 'link');
  fs.symlinkSync('far/real', link);
  for (const text of ['1', '2']) {
    await writeFolderAtomic(link, (temporary) => fs.writeFileSync(path.join(temporary, 'a'), text));
    assert.ok(fs.lstatSync(link).isSymbolicLink());
    assert.equal(fs.readFileSync(path.join(top, 'far/real/a'), 'utf8'), text);
    if (text === '1') fs.chmodSync(path.join(top, 'far/real'), 0o750);
  }
  assert.equal(fs.statSync(link).mode & 0o777, 0o750);
  assert.deepEqual(fs.readdirSync(path.join(top, 'far')), ['real']);
});

test('a folder never takes the place of a file, of a pipe, or of a circle of links', async () => {
  const top = scratch();
  const [file, pipe, circle] = ['file', 'pipe', 'circle'].map((name) => path.join(top, name));
  fs.writeFileSync(file, 'mine');
  execFileSync('mkfifo', [pipe]);
  fs.symlinkSync('circle', circle);
  for (const target of [file, pipe]) {
    await assert.rejects(
      writeFolderAtomic(target, () => {}),
      /a file is in the way, a directory was expected/,
    );
  }
  await assert.rejects(
    writeFolderAtomic(circle, () => {}),
    /circle: the symbolic links of this path lead in a circle/,
  );
  assert.equal(fs.readFileSync(file, 'utf8'), 'mine');
  assert.ok(fs.lstatSync(pipe).isFIFO());
  assert.deepEqual(fs.readdirSync(top).sort(), ['circle', 'file', 'pipe']);
});

test('an error of a file in a folder under way names the place that it was to have', async () => {
  const folder = path.join(scratch(), 'out');
  await assert.rejects(
    writeFolderAtomic(folder, (temporary) => {
      fs.mkdirSync(path.join(temporary, 'a'));
      writeFileAtomic(path.join(temporary, 'a'), '');
    }),
    (error) => error instanceof UserError && error.message.startsWith(`${folder}/a: this is a directory`),
  );
});

test('what is no JSON is refused with its path', () => {
  const folder = scratch();
  const isUserError = (pattern: RegExp) => (error: unknown) =>
    error instanceof UserError && pattern.test(error.message);
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
