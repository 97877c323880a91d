import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { DatasetWriter } from '../../src/data/dataset-writer.js';
import { Dictionary } from '../../src/data/dictionary.js';
import { ParallelDataset } from '../../src/data/parallel-dataset.js';
import { fixtures, refusal, scratchFolder, writeFiles } from './scratch.js';

const linesOf = (name: string): string[] =>
  readFileSync(path.join(fixtures, name), 'utf8').trimEnd().split('\n');

/** A copy of the official data-bin that may be changed. */
function dataBin(): string {
  const folder = scratchFolder();
  cpSync(path.join(fixtures, 'apart'), folder, { recursive: true });
  return folder;
}

test('a data-bin of the official code gives the text that it was made from', () => {
  for (const kind of ['joint', 'apart']) {
    const folder = path.join(fixtures, kind);
    const dataset = ParallelDataset.open(folder, 'train', 'en', 'it');
    const words = (language: string, ids: Int32Array): string => {
      const dictionary = Dictionary.load(path.join(folder, `dict.${language}.txt`));
      return Array.from(ids, (id) => dictionary.symbolOf(id)).join(' ');
    };
    const [source, target] = [linesOf('train.en'), linesOf('train.it')];
    assert.equal(dataset.size, source.length);
    for (let i = 0; i < dataset.size; i++) {
      const pair = dataset.pair(i);
      assert.equal(words('en', pair.source), `${source[i]} </s>`);
      assert.equal(words('it', pair.target), `${target[i]} </s>`);
      assert.equal(dataset.sourceLengths[i], pair.source.length);
      assert.equal(dataset.targetLengths[i], pair.target.length);
    }
    dataset.close();
  }
});

test('pairs that are read at a time are those that are read one by one', async () => {
  const dataset = ParallelDataset.open(path.join(fixtures, 'apart'), 'train', 'en', 'it');
  const indices = Int32Array.of(dataset.size - 1, 0, 3, 2, 0);
  assert.deepEqual(
    await dataset.pairs(indices),
    Array.from(indices, (i) => dataset.pair(i)),
  );
  dataset.close();
});

test('a data-bin of the other direction serves as well', () => {
  const folder = dataBin();
  const forth = ParallelDataset.open(folder, 'train', 'en', 'it');
  const back = ParallelDataset.open(folder, 'train', 'it', 'en');
  assert.deepEqual(back.pair(3), { source: forth.pair(3).target, target: forth.pair(3).source });
  assert.notEqual(back.hash, forth.hash);
  forth.close();
  back.close();
  assert.ok(ParallelDataset.exists(folder, 'valid', 'it', 'en'));
  assert.ok(!ParallelDataset.exists(folder, 'test', 'it', 'en'));
});

test('what is missing is named', () => {
  const open = (folder: string, split = 'train'): (() => void) => {
    return () => ParallelDataset.open(folder, split, 'en', 'it').close();
  };
  assert.throws(open(dataBin(), 'test'), refusal(/test\.en-it\.en\.idx: .*test split/));
  for (const name of readdirSync(dataBin()).filter((file) => /^(train|dict)/.test(file))) {
    const folder = dataBin();
    renameSync(path.join(folder, name), path.join(folder, 'away'));
    assert.throws(open(folder), refusal(new RegExp(name.replaceAll('.', '\\.'))), name);
  }
});

test('sides of unequal length, ids beyond the dictionary, a sentence without end', () => {
  const unequal = dataBin();
  for (const end of ['bin', 'idx']) {
    cpSync(path.join(unequal, `valid.en-it.it.${end}`), path.join(unequal, `train.en-it.it.${end}`));
  }
  assert.throws(
    () => ParallelDataset.open(unequal, 'train', 'en', 'it'),
    refusal(/6 in .*train\.en-it\.en\.idx and 2 in .*train\.en-it\.it\.idx/),
  );

  const small = writeFiles(dataBin(), { 'dict.en.txt': 'the 5\n' });
  const dataset = ParallelDataset.open(small, 'train', 'en', 'it');
  assert.throws(() => dataset.pair(0), refusal(/train\.en-it\.en\.bin: sentence 0: .*ids below 5/));
  dataset.close();

  const endless = dataBin();
  const writer = new DatasetWriter(path.join(endless, 'train.en-it.en'), 32);
  for (let i = 0; i < 6; i++) writer.add([4, 5, 6]);
  writer.finish();
  const open = ParallelDataset.open(endless, 'train', 'en', 'it');
  assert.throws(() => open.pair(2), refusal(/sentence 2: expected <\/s> \(id 2\) at the end, found 6/));
  open.close();
});
