import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { after, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openAtomic } from '../../src/common/file-output.js';
import { writeFileAtomic } from '../../src/common/files.js';

const scratch = (): string => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'admin-nmt-output-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const read = (file: string): string => fs.readFileSync(file, 'utf8');
const isRoot = process.getuid?.() === 0;

/** Writes by a process of its own. */
function writeElsewhere(target: string, stdio: 'pipe' | [0, number, 'pipe'] = 'pipe', text = 'new') {
  const url = new URL('../../src/common/files.js', import.meta.url).href;
  const source = `import { writeFileAtomic } from '${url}';
    try { writeFileAtomic(process.argv[1], '${text}') } catch (error) { console.error(error.message); process.exit(2) }`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', source, target], {
    encoding: 'utf8',
    stdio,
  });
}

describe('what stands in the place of an output', () => {
  test('a link: what it names is replaced, near or far, there or not; the link stays', () => {
    const top = scratch();
    fs.mkdirSync(path.join(top, 'far'));
    fs.writeFileSync(path.join(top, 'far/real'), 'old');
    fs.symlinkSync('far/real', path.join(top, 'link'));
    fs.symlinkSync('link', path.join(top, 'second'));
    fs.symlinkSync('absent/file', path.join(top, 'dangling'));
    for (const [link, place] of [
      ['link', 'far/real'],
      ['second', 'far/real'],
      ['dangling', 'absent/file'],
    ]) {
      writeFileAtomic(path.join(top, link), link);
      assert.equal(read(path.join(top, place)), link);
      assert.ok(fs.lstatSync(path.join(top, link)).isSymbolicLink());
    }
    assert.deepEqual(fs.readdirSync(path.join(top, 'far')), ['real']);
    fs.symlinkSync('circle', path.join(top, 'circle'));
    assert.throws(
      () => writeFileAtomic(path.join(top, 'circle'), 'x'),
      /circle: the symbolic links .* in a circle/,
    );
  });

  test('a file: its mode stays, whatever the umask, and nobody else reads it meanwhile', () => {
    const file = path.join(scratch(), 'private');
    for (const mode of [0o600, 0o666, 0o444, 0o755]) {
      fs.writeFileSync(file, 'old', { mode });
      fs.chmodSync(file, mode);
      const output = openAtomic(file);
      const [temporary] = fs.readdirSync(path.dirname(file)).filter((name) => name.endsWith('.tmp'));
      assert.equal(fs.statSync(path.join(path.dirname(file), temporary)).mode & 0o777, mode);
      output.write('new');
      output.commit();
      assert.equal(fs.statSync(file).mode & 0o777, mode);
      assert.equal(read(file), 'new');
      fs.rmSync(file);
    }
  });

  test('a file of another owner: root leaves it theirs', { skip: !isRoot && 'needs root' }, () => {
    const file = path.join(scratch(), 'theirs');
    fs.writeFileSync(file, 'old');
    fs.chownSync(file, 12345, 54321);
    writeFileAtomic(file, 'new');
    const { uid, gid } = fs.statSync(file);
    assert.deepEqual([uid, gid, read(file)], [12345, 54321, 'new']);
  });

  test('a pipe: its reader gets the text, and it stays one', async () => {
    const pipe = path.join(scratch(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
    let got = '';
    reader.stdout.setEncoding('utf8').on('data', (text) => {
      got += text;
    });
    const ended = once(reader, 'close');
    writeFileAtomic(pipe, 'x'.repeat(10));
    await ended;
    assert.equal(got, 'x'.repeat(10));
    assert.ok(fs.lstatSync(pipe).isFIFO());
    assert.deepEqual(fs.readdirSync(path.dirname(pipe)), ['pipe']);
  });

  test('a device', { skip: !isRoot && 'needs root' }, (t) => {
    const device = path.join(scratch(), 'null');
    if (spawnSync('mknod', [device, 'c', '1', '3']).status !== 0)
      return t.skip('no devices can be made here');
    writeFileAtomic(device, 'x');
    assert.ok(fs.lstatSync(device).isCharacterDevice());
  });

  test('a socket or a folder is refused', async () => {
    const top = scratch();
    const socket = path.join(top, 'socket');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    assert.throws(() => writeFileAtomic(socket, 'x'), /socket: nobody is at the other end/);
    assert.ok(fs.lstatSync(socket).isSocket());
    server.close();
    assert.throws(() => writeFileAtomic(top, 'x'), /this is a directory, a file was expected/);
    assert.throws(
      () => openAtomic(path.join(top, 'new/')),
      /new\/: this is a directory, a file was expected/,
    );
    assert.deepEqual(fs.readdirSync(top), []);
  });

  test('an open descriptor is written at its place, be it a file, a pipe or a socket', () => {
    const file = path.join(scratch(), 'log');
    fs.writeFileSync(file, 'before ');
    const fd = fs.openSync(file, 'a');
    const link = path.join(path.dirname(file), 'link');
    fs.symlinkSync('/dev/stdout', link);
    for (const target of ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1', link]) {
      assert.equal(writeElsewhere(target, [0, fd, 'pipe']).status, 0);
      assert.equal(writeElsewhere(target).stdout, 'new');
    }
    assert.equal(read(file), 'before newnewnewnew');
    const { stderr, status } = writeElsewhere('/dev/fd/99');
    assert.match(stderr, /^\/dev\/fd\/99: it is closed/);
    assert.equal(status, 2);
  });

  test('a full device says so', { skip: !fs.existsSync('/dev/full') && 'no /dev/full' }, () => {
    assert.throws(() => writeFileAtomic('/dev/full', 'x'), /^UserError: \/dev\/full: no space left/);
  });
});

test('a name of 255 bytes can be written', () => {
  const file = path.join(scratch(), 'ä'.repeat(127));
  writeFileAtomic(file, 'x');
  assert.deepEqual(fs.readdirSync(path.dirname(file)), [path.basename(file)]);
});

test('.gz: the content is packed as it comes, and others unpack it', () => {
  const file = path.join(scratch(), 'text.gz');
  const lines = Array.from({ length: 40_000 }, (_, i) => `line ${i} ${'ü'.repeat(i % 70)}\n`);
  const output = openAtomic(file);
  for (const line of lines) output.write(line);
  const early = fs.readdirSync(path.dirname(file))[0];
  assert.ok(fs.statSync(path.join(path.dirname(file), early)).size > 0); // not all of it is held
  output.commit();
  assert.equal(gunzipSync(fs.readFileSync(file)).toString(), lines.join(''));
  assert.equal(execFileSync('gzip', ['-dc', file], { encoding: 'utf8', maxBuffer: 1e8 }), lines.join(''));
  writeFileAtomic(file, '');
  assert.equal(gunzipSync(fs.readFileSync(file)).length, 0);
});

test('bytes of the caller may change after they were written', () => {
  const file = path.join(scratch(), 'a.gz');
  const output = openAtomic(file);
  const bytes = Buffer.from('one');
  output.write(bytes);
  bytes.write('two');
  output.write(bytes);
  output.commit();
  assert.equal(gunzipSync(fs.readFileSync(file)).toString(), 'onetwo');
});
