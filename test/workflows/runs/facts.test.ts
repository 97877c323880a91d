import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { packageVersion } from '../../../src/common/files.js';
import { loadConfig } from '../../../src/config/load.js';
import { createManifest, formatManifest } from '../../../src/data/manifest.js';
import { configFacts, differingKeys, runFacts } from '../../../src/workflows/runs/facts.js';
import { pageOrigin } from '../../../src/workflows/runs/page-origin.js';
import { makeRun, scratchFolder } from '../../cli/run-folders.js';

const load = (...sets: string[]) =>
  loadConfig({
    sets: ['preset=tiny', 'data.source-lang=aa', 'data.target-lang=bb', 'data.destdir=x', ...sets],
  });

test('what is trained: sizes, how, and on what', () => {
  const facts = new Map(configFacts(load('train.lr=0.25', 'seed=7').config, { parameters: 12345 }));
  assert.match(facts.get('Model')!, /^admin, 2 \+ 2 layers, width 64, .*12,345 parameters$/);
  assert.match(facts.get('Training')!, /lr 0\.25, .*seed 7$/);
  assert.equal(facts.get('Data'), 'aa → bb, x');
  const rounded = new Map(configFacts(load('train.precision=bfloat16').config));
  assert.match(rounded.get('Training')!, /^radam, bfloat16, lr /);
});

test('what is varied is left out', () => {
  const configs = [load('model.residual=admin', 'train.lr=1'), load('model.residual=post-ln', 'train.lr=2')];
  const varied = differingKeys(configs.map(({ written }) => written));
  assert.deepEqual([...varied].sort(), ['model.residual', 'train.lr']);
  const facts = new Map(configFacts(configs[0].config, { varied }));
  assert.match(facts.get('Model')!, /^2 \+ 2 layers/);
  assert.doesNotMatch(facts.get('Training')!, /lr 1/);
});

test('a dataset that is here tells how many pairs it has', () => {
  const folder = scratchFolder();
  const split = (kept: number) => ({ pairs: kept + 1, kept, dropped: {}, sides: {} });
  const manifest = createManifest({
    ...{ dataHash: 'd', seed: 1, languages: { source: 'aa', target: 'bb' }, inputs: [] },
    ...{ splits: { train: split(1234), valid: split(5) }, dictionaries: {}, files: [] },
  });
  writeFileSync(path.join(folder, 'manifest.json'), formatManifest(manifest));
  const facts = new Map(configFacts(load(`data.destdir=${folder}`).config));
  assert.equal(facts.get('Data'), `aa → bb, ${folder}: 1,234 train, 5 valid pairs`);
});

test('a run tells who wrote it and when', () => {
  const folder = makeRun(scratchFolder());
  const { config } = load();
  const trained = () => new Map(runFacts(folder, config, new Date('2020-11-16T09:30:59Z'))).get('Trained');
  assert.equal(trained(), 'last written 2020-11-16 09:30 UTC');
  appendFileSync(path.join(folder, 'config.yaml'), '# admin-nmt 1.2.3\n');
  assert.equal(trained(), 'by admin-nmt 1.2.3, last written 2020-11-16 09:30 UTC');
});

test('a page tells its version and a command that can be typed again', () => {
  const { version, date, command } = pageOrigin(['report', 'my run', "it's", 'a/b-c.d=1']);
  assert.equal(version, packageVersion());
  assert.match(date, /^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
  assert.equal(command, "admin-nmt report 'my run' 'it'\\''s' a/b-c.d=1");
});
