import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.js';
import { changedSettings, runSettings } from '../../src/train/run-settings.js';

const settings = (...sets: string[]) => runSettings(loadConfig({ sets: ['preset=tiny', ...sets] }).written);
const changes = (...sets: string[]) =>
  changedSettings(settings(), settings(...sets)).map(({ key, changeable }) => [key, changeable]);

test('paths and what is only looked at are free, the course of training may change, the rest is bound', () => {
  assert.deepEqual(changes('train.save-dir=x', 'threads=1', 'train.keep-last=9', 'decode.beam=2'), []);
  assert.deepEqual(changes('train.precision=bfloat16', 'train.lr=1', 'train.max-epoch=3'), [
    ['train.precision', true],
    ['train.lr', true],
    ['train.max-epoch', true],
  ]);
  assert.deepEqual(changes('seed=7', 'model.embed-dim=128', 'train.freeze=encoder.*'), [
    ['seed', false],
    ['model.embed-dim', false],
    ['train.freeze', false],
  ]);
});

test('a key that is newer than the checkpoint had its default; one that is no more does not count', () => {
  const { 'train.freeze': _, ...older } = settings();
  assert.deepEqual(changedSettings({ ...older, 'train.gone': 1 }, settings()), []);
  assert.deepEqual(changedSettings(older, settings('train.freeze=encoder.*')), [
    { key: 'train.freeze', before: [], now: ['encoder.*'], changeable: false },
  ]);
});
