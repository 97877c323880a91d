import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs, { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { InputLines } from '../../src/data/input-lines.js';
import { collect, scratchFolder } from './scratch.js';

const TEXT = Array.from({ length: 100_000 }, (_, i) => `line ${i} of a text`);

function fileOf(content: string | Buffer): string {
  const file = path.join(scratchFolder(), 'text');
  writeFileSync(file, content);
  return file;
}

test('the number of lines is told from the bytes of a text long before its end', async () => {
  const lines = await InputLines.open(fileOf(`${TEXT.join('\n')}\n`));
  assert.equal(lines.total, undefined);
  const estimates: number[] = [];
  const read: string[] = [];
  for await (const line of lines) {
    read.push(line);
    estimates.push(lines.estimate as number);
  }
  assert.deepEqual(read, TEXT);
  assert.ok(estimates.every((estimate) => Math.abs(estimate / TEXT.length - 1) < 0.05));
  assert.equal(lines.total, TEXT.length);
});

test('a small text is known whole before its first line is asked for, packed or not', async () => {
  const text = 'a\n\nb';
  for (const content of [text, gzipSync(text)]) {
    const lines = await InputLines.open(fileOf(content));
    assert.deepEqual([lines.total, lines.estimate], [3, 3]);
    assert.deepEqual(await collect(lines), ['a', '', 'b']);
  }
  assert.equal((await InputLines.open(fileOf(''))).total, 0);
});

test('a pipe, which can be read only once, is read; nothing is said of its end', async (t) => {
  const pipe = path.join(scratchFolder(), 'pipe');
  try {
    execFileSync('mkfifo', [pipe]);
  } catch {
    return t.skip('no mkfifo');
  }
  const written = fs.promises.writeFile(pipe, TEXT.join('\n'));
  const lines = await InputLines.open(pipe);
  assert.deepEqual([lines.total, lines.estimate], [undefined, undefined]);
  assert.deepEqual(await collect(lines), TEXT);
  assert.equal(lines.estimate, TEXT.length);
  await written;
});

test('a file that is not there is told of at once', async () => {
  await assert.rejects(InputLines.open(path.join(scratchFolder(), 'none')), /no such file|not found|ENOENT/i);
});
