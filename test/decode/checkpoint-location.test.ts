import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { locateCheckpoint } from '../../src/decode/checkpoint-location.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-location-'));
after(() => rmSync(folder, { recursive: true }));
const run = path.join(folder, 'checkpoints');
for (const name of ['checkpoint_1_10', 'mean']) {
  mkdirSync(path.join(run, name), { recursive: true });
  writeFileSync(path.join(run, name, 'model.safetensors'), '');
}
writeFileSync(path.join(run, 'config.yaml'), '');
mkdirSync(path.join(run, 'checkpoint_1_5'));
writeFileSync(path.join(run, 'checkpoint_1_5/state.json'), '');
symlinkSync('checkpoint_1_10', path.join(run, 'checkpoint_last'));

const NONE = 'no checkpoint (model.safetensors) here';

const located = (...args: Parameters<typeof locateCheckpoint>) => {
  const { runDirectory, checkpoint } = locateCheckpoint(...args);
  assert.equal(runDirectory, run);
  return checkpoint;
};

test('of a run: the best, else the last, else the one that is named', () => {
  assert.equal(located(run), path.join(run, 'checkpoint_last'));
  assert.equal(located(run, 'mean'), path.join(run, 'mean'));
  assert.equal(located(run, path.join(run, 'mean')), path.join(run, 'mean'));
  symlinkSync('mean', path.join(run, 'checkpoint_best'));
  assert.equal(located(run), path.join(run, 'checkpoint_best'));
});

test('a checkpoint itself, of any name; another of its run by name', () => {
  assert.equal(located(path.join(run, 'mean')), path.join(run, 'mean'));
  assert.equal(located(path.join(run, 'checkpoint_last'), 'mean'), path.join(run, 'mean'));
});

test('where a checkpoint is missing, those that are there are told, and the one that is meant', () => {
  const said = (name: string, hint: string) =>
    assert.throws(
      () => locateCheckpoint(run, name),
      (error) =>
        error instanceof UserError &&
        error.message === [`${path.join(run, name)}: ${NONE}`, hint].join('\n  '),
    );
  const there = 'The checkpoints of this run are checkpoint_1_10, checkpoint_best, checkpoint_last, mean.';
  said('best', `Did you mean checkpoint_best? ${there}`);
  said('maen', `Did you mean mean? ${there}`);
  said('nowhere', there);
});

test('a checkpoint without weights is refused', () => {
  for (const [place, name] of [[path.join(run, 'checkpoint_1_5')], [run, 'checkpoint_1_5']]) {
    assert.throws(
      () => locateCheckpoint(place, name),
      (error) =>
        error instanceof UserError && /no checkpoint \(model\.safetensors\) here/.test(error.message),
    );
  }
});
