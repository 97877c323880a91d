import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import {
  hasCheckpoint,
  isReservedName,
  numberedCheckpoints,
  pointTo,
  recoverCheckpoints,
  removeCheckpoints,
  removeOld,
} from '../../src/train/checkpoint-folders.js';
import { scratchFolder } from './tiny.js';

/** A run directory with checkpoints after so many updates, and something else. */
function runWith(...updates: number[]): string {
  const folder = scratchFolder();
  for (const count of updates) {
    fs.mkdirSync(path.join(folder, `checkpoint_1_${count}`));
    fs.writeFileSync(path.join(folder, `checkpoint_1_${count}`, 'state.json'), '{}');
  }
  fs.mkdirSync(path.join(folder, 'checkpoint_mine'));
  return folder;
}

const names = (folder: string): string[] => fs.readdirSync(folder).sort();

test('the oldest by updates go, not by name, and none that a link points at', () => {
  const folder = runWith(2, 10, 9, 30);
  pointTo(folder, 'checkpoint_best', 'checkpoint_1_2');
  pointTo(folder, 'checkpoint_last', 'checkpoint_1_30');
  removeOld(folder, 2);
  assert.deepEqual(names(folder), [
    'checkpoint_1_10',
    'checkpoint_1_2',
    'checkpoint_1_30',
    'checkpoint_best',
    'checkpoint_last',
    'checkpoint_mine',
  ]);
  removeOld(folder, Infinity);
  assert.equal(names(folder).length, 6);
  removeOld(folder, 0);
  assert.ok(!names(folder).includes('checkpoint_1_10'));
});

test('a link is moved from one checkpoint to another and leaves nothing beside it', () => {
  assert.ok(!hasCheckpoint(runWith()));
  const folder = runWith(1, 2);
  assert.ok(hasCheckpoint(folder), 'a copy may have lost the links');
  pointTo(folder, 'checkpoint_last', 'checkpoint_1_1');
  pointTo(folder, 'checkpoint_last', 'checkpoint_1_2');
  assert.equal(fs.readlinkSync(path.join(folder, 'checkpoint_last')), 'checkpoint_1_2');
  assert.ok(fs.existsSync(path.join(folder, 'checkpoint_last', 'state.json')));
  assert.equal(names(folder).filter((name) => name.startsWith('.')).length, 0);
});

test('a link that points nowhere still stands for a checkpoint: it is not silently begun anew', () => {
  const folder = runWith(1);
  pointTo(folder, 'checkpoint_last', 'checkpoint_1_1');
  fs.rmSync(path.join(folder, 'checkpoint_1_1'), { recursive: true });
  assert.ok(hasCheckpoint(folder));
});

test('all checkpoints of a run can go, and nothing else does', () => {
  const folder = runWith(1, 2);
  pointTo(folder, 'checkpoint_last', 'checkpoint_1_2');
  removeCheckpoints(folder);
  assert.deepEqual(names(folder), ['checkpoint_mine']);
});

test('an average is no numbered checkpoint: it is neither listed nor removed', () => {
  const folder = runWith(1, 20);
  for (const name of ['checkpoint_average_5', 'checkpoint_average_1_20', 'checkpoint_1_20_mean']) {
    assert.ok(!isReservedName(name), name);
    fs.mkdirSync(path.join(folder, name));
  }
  for (const name of ['checkpoint_1_20', 'checkpoint_best', 'checkpoint_last'])
    assert.ok(isReservedName(name));
  assert.deepEqual(numberedCheckpoints(folder), [
    { name: 'checkpoint_1_1', epoch: 1, updates: 1 },
    { name: 'checkpoint_1_20', epoch: 1, updates: 20 },
  ]);
  removeOld(folder, 0);
  removeCheckpoints(folder);
  assert.deepEqual(names(folder), [
    'checkpoint_1_20_mean',
    'checkpoint_average_1_20',
    'checkpoint_average_5',
    'checkpoint_mine',
  ]);
});

test('after a loss of power: what was moved aside comes back, what was half-written goes', () => {
  const folder = runWith(1, 2);
  fs.renameSync(path.join(folder, 'checkpoint_1_1'), path.join(folder, '.checkpoint_1_1.7.0123abcd.tmp.old'));
  fs.mkdirSync(path.join(folder, '.checkpoint_1_1.7.0123abcd.tmp'));
  fs.mkdirSync(path.join(folder, '.checkpoint_1_3.7.0123abcd.tmp'));
  fs.mkdirSync(path.join(folder, '.mine.7.0123abcd.tmp'));
  recoverCheckpoints(folder);
  assert.deepEqual(names(folder), [
    '.mine.7.0123abcd.tmp',
    'checkpoint_1_1',
    'checkpoint_1_2',
    'checkpoint_mine',
  ]);
  assert.ok(fs.existsSync(path.join(folder, 'checkpoint_1_1', 'state.json')));
});

test('a folder in the place of a link, as in a copy made without links, is kept under another name', () => {
  const folder = runWith(1);
  fs.mkdirSync(path.join(folder, 'checkpoint_last'));
  pointTo(folder, 'checkpoint_last', 'checkpoint_1_1');
  assert.equal(fs.readlinkSync(path.join(folder, 'checkpoint_last')), 'checkpoint_1_1');
});
