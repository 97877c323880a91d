import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { findParallelTexts } from '../../src/data/find-texts.js';
import { filesOf } from '../../src/data/parallel-text.js';
import { scratchFolder, writeFiles } from './scratch.js';

function find(folder: string, pattern: string): string[][] {
  const found = findParallelTexts(path.join(folder, pattern), 'en', 'it', 'data.train.0');
  return found.map((text) => filesOf(text).map((file) => path.relative(folder, file)));
}

test('a path with * or ? means all texts that fit, in the order of their names', () => {
  const folder = scratchFolder();
  for (const name of ['b1', 'b2', 'b10', 'c'])
    writeFiles(folder, { [`${name}.en`]: 'x\n', [`${name}.it.gz`]: 'y\n' });
  writeFiles(folder, { 'one.tsv': 'x\ty\n', 'two.tsv.gz': 'x\ty\n' });
  assert.deepEqual(find(folder, 'b?'), [
    ['b1.en', 'b1.it.gz'],
    ['b2.en', 'b2.it.gz'],
  ]);
  assert.deepEqual(find(folder, 'b*').length, 3);
  assert.deepEqual(find(folder, '*.tsv'), [['one.tsv']]);
  assert.deepEqual(find(path.dirname(folder), `${path.basename(folder).slice(0, -1)}*/c`), [
    [`${path.basename(folder)}/c.en`, `${path.basename(folder)}/c.it.gz`],
  ]);
});

test('what fits nothing is refused, and a text without its other side', () => {
  const folder = scratchFolder();
  writeFiles(folder, { 'b1.en': 'x\n' });
  assert.throws(() => find(folder, 'z*'), /data\.train\.0: expected files, found none that fits/);
  assert.throws(() => find(folder, 'b*'), /no such file, nor b1\.it\.gz/);
});
