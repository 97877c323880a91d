import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readLines } from '../../src/data/text-source.js';
import { collect, refusal, scratchFolder, writeFiles } from './scratch.js';

const folder = scratchFolder();
let files = 0;

/** Writes a file of its own and reads its lines. */
function linesOf(content: string | Uint8Array): Promise<string[]> {
  const name = `text${files++}`;
  writeFiles(folder, { [name]: content });
  return collect(readLines(path.join(folder, name)));
}

test('line breaks, carriage returns, byte order mark, last line without an end', async () => {
  assert.deepEqual(await linesOf('a\nb\n'), ['a', 'b']);
  assert.deepEqual(await linesOf('a\n\nb'), ['a', '', 'b']);
  assert.deepEqual(await linesOf('\n'), ['']);
  assert.deepEqual(await linesOf(''), []);
  assert.deepEqual(await linesOf('a\r\nb\rc\r\n\r\n'), ['a', 'b\rc', '']);
  assert.deepEqual(await linesOf('\ufeffa\n\ufeffb\n'), ['a', '\ufeffb']);
  assert.deepEqual(await linesOf('\u2028\u0085\u000c\n'), ['\u2028\u0085\u000c']);
});

test('a byte order mark is one at the start of the file alone, not where a chunk of it begins', async () => {
  const lines = new Array<string>(200_000).fill('\ufeffa');
  assert.deepEqual(await linesOf(lines.join('\n')), ['a', ...lines.slice(1)]);
});

test('gzip by its content, in several members', async () => {
  assert.deepEqual(await linesOf(gzipSync('ä\nb\n')), ['ä', 'b']);
  assert.deepEqual(await linesOf(Buffer.concat([gzipSync('a\nb'), gzipSync('c\n')])), ['a', 'bc']);
});

test('any text comes back, wherever the chunks of the file end', async () => {
  const line = fc
    .string({ unit: 'binary', maxLength: 40 })
    .map((text) => text.replace(/[\0\n\r\ufeff]/g, ' '));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1 }), fc.nat(100), async (lines, padding) => {
      // Beyond the 256 KiB that are read at a time.
      const long = '\u20ac'.repeat(87_000 + padding);
      const all = [long, ...lines, long, ...lines];
      assert.deepEqual(await linesOf(`${all.join('\n')}\n`), all);
    }),
    { numRuns: 30 },
  );
});

test('a line of many megabytes', async () => {
  const line = 'word '.repeat(2_000_000);
  assert.deepEqual(await linesOf(`a\n${line}\nb\n`), ['a', line, 'b']);
});

test('invalid UTF-8 is refused with file, line and byte', async () => {
  const filler = 'line\n'.repeat(100_000);
  const cases: [bytes: string, byte: number, value: string][] = [
    ['b\xffd', 2, '0xff'],
    ['\xc3', 1, '0xc3'],
    ['ab\xc0\xaf', 3, '0xc0'],
    ['\xc3\xa4\xed\xa0\x80', 3, '0xed'],
    ['\xf0\x9f\x98', 1, '0xf0'],
    ['\x80', 1, '0x80'],
  ];
  for (const [bytes, byte, value] of cases) {
    const content = Buffer.from(`${filler}${bytes}\nmore\n`, 'latin1');
    const found = refusal(/text\d+:100001: expected UTF-8/, new RegExp(`byte ${value} at byte ${byte} of`));
    await assert.rejects(linesOf(content), found);
    await assert.rejects(linesOf(gzipSync(content)), found);
  }
});

test('a NUL byte is refused with file and line', async () => {
  await assert.rejects(linesOf('fine\nb\0d\n'), refusal(/text\d+:2: .*NUL byte at byte 2/));
  await assert.rejects(linesOf(Buffer.from('\ufeffa\nb\n', 'utf16le')), refusal(/:1: /));
});

test('a line without end is refused before it fills the memory', async () => {
  await assert.rejects(
    linesOf(Buffer.alloc(70_000_000, 'x')),
    refusal(/text\d+:1: .*at most 67108864 bytes/),
  );
});

test('missing file, directory, torn and damaged gzip', async () => {
  mkdirSync(path.join(folder, 'directory'));
  const read = (name: string) => collect(readLines(path.join(folder, name)));
  await assert.rejects(read('absent'), refusal(/absent: no such file/));
  await assert.rejects(read('directory'), refusal(/directory: this is a directory/));
  await assert.rejects(linesOf(gzipSync('a\nb\n').subarray(0, 15)), refusal(/text\d+: .*gzip.*truncated/));
  const damaged = gzipSync('some words\n'.repeat(1000));
  damaged.fill(0xee, 30, 60);
  await assert.rejects(linesOf(damaged), refusal(/text\d+: .*gzip.*damaged/));
});

test('standard input, also one byte at a time and gzipped', () => {
  const source = new URL('../../src/data/text-source.js', import.meta.url).href;
  const script = `import { readLines } from ${JSON.stringify(source)};
    const lines = [];
    for await (const line of readLines('-')) lines.push(line);
    console.log(JSON.stringify(lines));`;
  const run = (input: Buffer): unknown => {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { input });
    return JSON.parse(stdout.toString());
  };
  assert.deepEqual(run(Buffer.from('ä\nb')), ['ä', 'b']);
  assert.deepEqual(run(gzipSync('ä\nb')), ['ä', 'b']);
  assert.deepEqual(run(Buffer.from('x')), ['x']);
  const folder = openSync('.', 'r');
  const refused = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    stdio: [folder, 'pipe', 'pipe'],
  });
  closeSync(folder);
  assert.match(refused.stderr.toString(), /standard input: this is a directory/);
});

test('leaving early closes the file', async (t) => {
  if (!existsSync('/proc/self/fd'))
    return t.skip('the open files of a process can be counted on Linux alone');
  writeFiles(folder, { many: 'line\n'.repeat(1_000_000) });
  const file = path.join(folder, 'many');
  for await (const line of readLines(file)) {
    assert.equal(line, 'line');
    break;
  }
  const isOpen = (): boolean =>
    readdirSync('/proc/self/fd').some((fd) => linkOf(`/proc/self/fd/${fd}`) === file);
  // A file is closed in the background.
  for (let waits = 0; waits < 100 && isOpen(); waits++) await setTimeout(10);
  assert.ok(!isOpen());
});

function linkOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined; // the descriptor of the listing itself
  }
}
