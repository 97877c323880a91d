import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../../src/common/files.js';
import { readSweepPlan } from '../../../src/config/sweep-plan.js';
import { expandPlan, shortLabels } from '../../../src/workflows/sweep/plan.js';
import { scratchFolder } from '../../cli/run-folders.js';

const folder = scratchFolder();

/** Cells of a plan over the preset tiny. */
function expand(plan: string, extra: readonly string[] = []) {
  const file = path.join(folder, 'plan.yaml');
  const base = path.join(folder, 'base.yaml');
  writeFileSync(base, 'preset: tiny\ndata: { source-lang: aa, target-lang: bb, train: train }\n');
  writeFileSync(file, `config: base.yaml\n${plan}`);
  return expandPlan(readSweepPlan(file), extra, 'out').cells;
}

test('a grid of axes and seeds, the seed fastest', () => {
  const cells = expand('grid: { model.residual: [pre-ln, admin], train.lr: [0.001, 0.003] }\nseeds: 2');
  assert.deepEqual(cells.map(({ name }) => name).slice(0, 3), [
    'residual=pre-ln,lr=0.001,seed=1',
    'residual=pre-ln,lr=0.001,seed=2',
    'residual=pre-ln,lr=0.003,seed=1',
  ]);
  assert.equal(cells.length, 8);
  const { config, group, seed, settings } = cells[7];
  assert.deepEqual([config.model.residual, config.train.lr, config.seed, seed], ['admin', 0.003, 2, 2]);
  assert.equal(config.train.saveDir, path.join('out', 'residual=admin,lr=0.003,seed=2'));
  assert.equal(group, 'residual=admin,lr=0.003');
  assert.deepEqual(
    [...settings],
    [
      ['model.residual', 'admin'],
      ['train.lr', 0.003],
    ],
  );
});

test('listed cells × grid; what a cell leaves out is that of the config', () => {
  const cells = expand(`
cells: [{ model: { residual: pre-ln, dropout: 0.3 } }, { model.residual: admin }, { name: plain, model.residual: post-ln }]
grid: { train.lr: [0.001] }
`);
  assert.deepEqual(
    cells.map(({ name }) => name),
    [
      'residual=pre-ln,dropout=0.3,lr=0.001,seed=1',
      'residual=admin,lr=0.001,seed=1',
      'plain,lr=0.001,seed=1',
    ],
  );
  assert.equal(cells[1].settings.get('model.dropout'), 0.05);
});

test('names are short, safe, and stay when seeds are added', () => {
  assert.deepEqual(
    [...shortLabels(['model.encoder.layers', 'model.decoder.layers', 'train.lr', 'seed']).values()],
    ['encoder.layers', 'decoder.layers', 'lr', 'seed'],
  );
  const [cell] = expand(
    'grid: { data.root: [../a b/c], train.adam-betas: [[0.9, 0.98]], train.patience: [null] }',
  );
  assert.equal(cell.name, 'root=..-a-b-c,adam-betas=0.9-0.98,patience=null,seed=1');
  assert.equal(expand('{}'.replace('{}', 'seeds: [5]'))[0].name, 'all,seed=5');
  const long = 'x'.repeat(300);
  const names = expand(`grid: { model.omega.profile: [${long}1, ${long}2] }`).map(({ name }) => name);
  assert.ok(names.every((name) => name.length < 200) && names[0] !== names[1], names.join());
});

test('the hash tells what decides the result', () => {
  const hash = (extra: readonly string[]) => expand('seeds: 1', extra)[0].hash;
  assert.equal(hash([]), hash(['threads=1']));
  assert.notEqual(hash([]), hash(['train.max-epoch=3']));
});

test('what is wrong is told before anything starts, each once', () => {
  const cases: [plan: string, message: RegExp, extra?: string[]][] = [
    [
      'grid: { model.residul: [admin, pre-ln] }\nseeds: 3',
      /^\S+plan\.yaml:2:24: unknown key 'model\.residul'\n {2}Did you mean 'model\.residual'\?$/,
    ],
    [
      'grid: { model.residual: [admn, pre-ln] }',
      /plan\.yaml:2:25: model\.residual: expected one of .*found 'admn'\n {2}Did you mean 'admin'/,
    ],
    [
      'cells: [{ train.lr: 0 }]',
      /plan\.yaml:2:21: train\.lr: expected a number above 0 and of at most 1000000000; found 0/,
    ],
    ['grid: { train.lr: [0.001, 0.001] }', /two cells have the name 'lr=0\.001,seed=1'/],
    ['cells: [{ name: a }, { name: a, train.lr: 1 }]', /two cells have the name 'a,seed=1'/],
    [
      'set: { train.lr: 1 }\ngrid: { train.lr: [1, 2] }',
      /2:18: train\.lr is set here, and varied by the grid/,
    ],
    ['grid: { train.lr: [1, 2] }', /--set train\.lr=3: train\.lr is set here, and/, ['train.lr=3']],
    ['cells: [{ train.lr: 1 }]\ngrid: { train.lr: [1, 2] }', /train\.lr is set here/],
    ['grid: { seed: [1, 2] }', /a sweep sets seed itself\n.*under seeds/],
    ['set: { train.save-dir: x }', /a sweep sets train\.save-dir itself/],
    [
      'grid: { data.tokenizer.vocab-size: [100, 200] }',
      /make different datasets in one folder\n.*data\.destdir/,
    ],
    ['test: true', /data\.test: expected test text to translate, found null/],
    ['set: { train.max-epoch: null }', /expected something that ends the training/],
    [
      `grid: { model.dropout: [${Array.from({ length: 11 }, (_, i) => i / 100)}] }\nseeds: 1000`,
      /at most 10000 cells, found 11000/,
    ],
  ];
  for (const [plan, message, extra] of cases) {
    assert.throws(
      () => expand(plan, extra),
      (error: Error) => {
        assert.match(error.message, message);
        return true;
      },
    );
  }
  const apart =
    'cells: [{ data.destdir: a, data.tokenizer.vocab-size: 100 }, { data.destdir: b, data.tokenizer.vocab-size: 200 }]';
  assert.equal(expand(apart).length, 2);
});

test('the ready plans load, with as many cells as docs/sweep.md says', () => {
  const plans = path.join(packageRoot(), 'configs/sweeps');
  const counts = readdirSync(plans).map((file) => {
    const { cells } = expandPlan(readSweepPlan(path.join(plans, file)), [], 'out');
    return [file, cells.length];
  });
  assert.deepEqual(Object.fromEntries(counts), {
    'deep-wins.yaml': 18,
    'deep-wins-seeds.yaml': 18,
    'divergence.yaml': 36,
    'equal-updates.yaml': 5,
    'headline.yaml': 12,
    'omega.yaml': 6,
    'iwslt14-no-warmup.yaml': 45,
    'no-warmup.yaml': 45,
    'omega-trainable.yaml': 12,
    'precision.yaml': 6,
    'rivals.yaml': 6,
    'sgd.yaml': 5,
    'shallow-decoder.yaml': 12,
    'warmup.yaml': 6,
  });
});
