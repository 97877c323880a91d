import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { openAtomic } from '../../src/common/file-output.js';
import { writeFileAtomic } from '../../src/common/files.js';
import { parseTemporaryName, putBack, removeLeftovers, temporaryName } from '../../src/common/leftovers.js';

const scratch = (): string => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'admin-nmt-left-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
};
/** The number of a process that is no more. */
const { pid: gone } = spawnSync(process.execPath, ['-e', '']);
/** The name that a process of this machine that is no more has left. */
const left = (target: string): string => temporaryName(target).replace(`.${process.pid}.`, `.${gone}.`);
const setAge = (file: string, days: number): void => {
  const time = Date.now() / 1000 - days * 24 * 3600;
  fs.utimesSync(file, time, time);
};

test('what a killed process has left goes with the next file in that folder', async () => {
  const folder = scratch();
  const url = new URL('../../src/common/file-output.js', import.meta.url).href;
  const child = spawn(
    process.execPath,
    [
      ...['--input-type=module', '-e'],
      `import { openAtomic } from '${url}'; openAtomic(process.argv[1]); console.log(); setInterval(() => {}, 1e6);`,
      path.join(folder, 'theirs'),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(child.stdout, 'data');
  removeLeftovers(folder);
  assert.match(fs.readdirSync(folder)[0], /^\.theirs\.\d+\.[0-9a-f]{24}\.tmp$/); // it lives
  child.kill('SIGKILL');
  await once(child, 'exit');
  writeFileAtomic(path.join(folder, 'mine'), 'x');
  assert.deepEqual(fs.readdirSync(folder), ['mine']);
});

test('removed: of the dead of this machine, at any age, files and folders; nothing else', () => {
  const folder = scratch();
  const own = temporaryName(path.join(folder, 'own'));
  const reused = own.replace(/[0-9a-f]{16}\.tmp$/, '0123456789abcdef.tmp'); // its number is ours now
  const stay = ['.hidden', 'model.tmp', '.notes.12.tmp', '.a.1.xyz.tmp'];
  for (const name of stay) fs.writeFileSync(path.join(folder, name), '');
  for (const file of [own, reused, left(path.join(folder, 'dead'))]) fs.writeFileSync(file, '');
  fs.mkdirSync(left(path.join(folder, 'folder')));
  removeLeftovers(folder);
  assert.deepEqual(fs.readdirSync(folder).sort(), [...stay, path.basename(own)].sort());
});

test('of another machine, or an earlier version: after a week without a change, or where we are alone', () => {
  const folder = scratch();
  const elsewhere = left(path.join(folder, 'far')).replace(/[0-9a-f]{24}/, '0'.repeat(24));
  const earlier = path.join(folder, `.old.${gone}.01234567.tmp`);
  const make = (): void => {
    fs.mkdirSync(elsewhere);
    fs.writeFileSync(path.join(elsewhere, 'a'), '');
    fs.writeFileSync(earlier, '');
  };
  make();
  removeLeftovers(folder);
  assert.equal(fs.readdirSync(folder).length, 2);
  for (const file of [elsewhere, earlier]) setAge(file, 8);
  removeLeftovers(folder);
  assert.deepEqual(fs.readdirSync(folder), [path.basename(elsewhere)]); // the file in it is young
  setAge(path.join(elsewhere, 'a'), 8);
  removeLeftovers(folder);
  assert.deepEqual(fs.readdirSync(folder), []);
  make();
  removeLeftovers(folder, true);
  assert.deepEqual(fs.readdirSync(folder), []);
});

test('a folder that was moved aside comes back where nothing has taken its place', () => {
  const folder = scratch();
  const aside = `${left(path.join(folder, 'data'))}.old`;
  fs.mkdirSync(aside);
  fs.writeFileSync(path.join(aside, 'a'), '');
  removeLeftovers(folder);
  assert.deepEqual(fs.readdirSync(path.join(folder, 'data')), ['a']);
  fs.mkdirSync(aside);
  removeLeftovers(folder);
  assert.deepEqual(fs.readdirSync(folder), ['data']);
});

test('putBack leaves a folder alone that a living process is about to replace', () => {
  const folder = scratch();
  const data = path.join(folder, 'data');
  fs.mkdirSync(`${temporaryName(data)}.old`);
  putBack(data);
  assert.equal(fs.existsSync(data), false);
  putBack(data, true);
  assert.equal(fs.existsSync(data), true);
});

test('the output of another user stays', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
  const folder = scratch();
  const theirs = left(path.join(folder, 'theirs'));
  fs.writeFileSync(theirs, '');
  fs.chownSync(theirs, 12345, 12345);
  removeLeftovers(folder);
  assert.equal(fs.existsSync(theirs), true);
});

test('a name is taken apart as it was made', () => {
  const name = path.basename(temporaryName('a/b.7.c'));
  const parsed = parseTemporaryName(name)!;
  assert.deepEqual([parsed.target, parsed.processId, parsed.old], ['b.7.c', process.pid, false]);
  assert.equal(parseTemporaryName(`${name}.old`)!.old, true);
  assert.equal(parseTemporaryName('.b.tmp'), undefined);
  const output = openAtomic(path.join(scratch(), 'discarded'));
  output.discard();
  output.discard();
});
