import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { fromHome } from '../../src/config/home.js';
import { configKeys } from '../../src/config/keys.js';
import { loadConfig } from '../../src/config/load.js';
import { valueAt } from '../../src/config/paths.js';
import { readSweepPlan } from '../../src/config/sweep-plan.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-home-'));
after(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string): string => {
  writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};

test('~ at the start of a path is the home directory', () => {
  assert.equal(fromHome('~/a'), path.join(homedir(), 'a'));
  assert.equal(fromHome('~'), homedir());
  for (const other of ['a/~', '~a/b', './~/a', '']) assert.equal(fromHome(other), other);
});

test('in every key that holds a path, wherever it is set', () => {
  const paths = [...configKeys.values()].filter(({ kind }) => kind === 'path').map((key) => key.path);
  assert.ok(
    ['data.root', 'data.train', 'data.tokenizer.model', 'train.save-dir', 'score.spm-model'].every((key) =>
      paths.includes(key),
    ),
  );
  for (const key of paths) {
    const { written } = loadConfig({ sets: [`${key}=~/x`] });
    assert.equal(valueAt(written, key), path.join(homedir(), 'x'), key);
  }
  assert.deepEqual(loadConfig({ sets: ['decode.ensemble=~/x,y'] }).config.decode.ensemble, [
    path.join(homedir(), 'x'),
    'y',
  ]);
  const file = write('a.yaml', 'data: { root: ~/corpus, source-lang: de }\n');
  assert.equal(loadConfig({ files: [file] }).config.data.root, path.join(homedir(), 'corpus'));
  assert.deepEqual(
    readSweepPlan(write('plan.yaml', 'config: ~/base.yaml\ngrid: { train.lr: [1, 2] }\n')).files.map((name) =>
      path.resolve(name),
    ),
    [path.join(homedir(), 'base.yaml')],
  );
});

test('what is no path stays as it is', () => {
  assert.deepEqual(loadConfig({ sets: ['train.freeze=~/x'] }).config.train.freeze, ['~/x']);
});
