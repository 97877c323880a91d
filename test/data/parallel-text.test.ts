import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../../src/common/files.js';
import type { FileDigest } from '../../src/data/pair-bytes.js';
import { findParallelText, type ParallelText, readPairs } from '../../src/data/parallel-text.js';
import { refusal, scratchFolder, writeFiles } from './scratch.js';

async function read(text: ParallelText): Promise<{ pairs: [string, string][]; digests: FileDigest[] }> {
  const pairs: [string, string][] = [];
  const blocks = readPairs(text);
  for (;;) {
    const { done, value } = await blocks.next();
    if (done) return { pairs, digests: value };
    assert.equal(value.source.length, value.target.length);
    value.source.forEach((source, i) => {
      pairs.push([source, value.target[i]]);
    });
  }
}

const find = (folder: string, name: string): ParallelText =>
  findParallelText(path.join(folder, name), 'de', 'en', 'data.train');

test('two files, plain or gzipped, plain where both are there', async () => {
  const folder = writeFiles(scratchFolder(), {
    'a.de': 'x\ny\n',
    'a.en.gz': gzipSync('1\n2'),
    'b.de': 'plain\n',
    'b.de.gz': gzipSync('packed\n'),
    'b.en': '1\n',
  });
  const { pairs, digests } = await read(find(folder, 'a'));
  assert.deepEqual(pairs, [
    ['x', '1'],
    ['y', '2'],
  ]);
  const packed = gzipSync('1\n2');
  assert.deepEqual(digests, [
    { bytes: 4, sha256: sha256('x\ny\n'), lines: 2 },
    { bytes: packed.length, sha256: sha256(packed), lines: 2 },
  ]);
  assert.deepEqual((await read(find(folder, 'b'))).pairs, [['plain', '1']]);
});

test('sides whose lines are of very different length stay aligned', async () => {
  const count = 40_000;
  const lines = (words: number): string =>
    Array.from({ length: count }, (_, i) => `${i} ${'w '.repeat((i * words) % 37)}\n`).join('');
  const folder = writeFiles(scratchFolder(), { 'a.de': lines(5), 'a.en': lines(0) });
  const { pairs } = await read(find(folder, 'a'));
  assert.equal(pairs.length, count);
  for (const [source, target] of pairs) assert.equal(source.split(' ')[0], target.split(' ')[0]);
});

test('a .tsv', async () => {
  const folder = writeFiles(scratchFolder(), {
    'a.tsv': 'x\t1\n\t\n',
    'b.tsv.gz': gzipSync('y\t2\n'),
    'c.tsv': 'x\t1\nonly one\nz\t3\n',
    'd.tsv': 'x\t1\t2\n',
  });
  const { pairs, digests } = await read(find(folder, 'a.tsv'));
  assert.deepEqual(pairs, [
    ['x', '1'],
    ['', ''],
  ]);
  assert.deepEqual(digests, [{ bytes: 6, sha256: sha256('x\t1\n\t\n'), lines: 2 }]);
  assert.deepEqual((await read(find(folder, 'b.tsv.gz'))).pairs, [['y', '2']]);
  await assert.rejects(read(find(folder, 'c.tsv')), refusal(/c\.tsv:2: expected two columns.*found 1/));
  await assert.rejects(read(find(folder, 'd.tsv')), refusal(/d\.tsv:1: expected two columns.*found 3/));
});

test('unequal line counts are refused with both files and counts', async () => {
  const many = 'some words in a line\n'.repeat(50_000);
  const folder = writeFiles(scratchFolder(), { 'a.de': `${many}x\n`, 'a.en': many });
  await assert.rejects(read(find(folder, 'a')), refusal(/found 50001 in .*a\.de and 50000 in .*a\.en/));
});

test('missing files and directories are refused with the key', () => {
  const folder = writeFiles(scratchFolder(), { 'a.de': '', 'b.en': '' });
  mkdirSync(path.join(folder, 'b.de'));
  assert.throws(() => find(folder, 'a'), refusal(/a\.en: data\.train: no such file, nor a\.en\.gz/));
  assert.throws(() => find(folder, 'b'), refusal(/b\.de: data\.train: .*directory/));
  assert.throws(() => find(folder, 'c.tsv'), refusal(/c\.tsv: data\.train: no such file/));
});
