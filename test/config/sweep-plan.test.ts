import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import {
  isSweepPlan,
  overrideGrid,
  parseGrid,
  parseSeeds,
  readSweepPlan,
} from '../../src/config/sweep-plan.js';

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-plan-'));
after(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, 'plan.yaml');

function read(text: string) {
  writeFileSync(file, text);
  return readSweepPlan(file);
}

test('a plan with everything', () => {
  const plan = read(`
config: [base.yaml, deep.yaml]
set: { train: { max-update: 400, adam-betas: [0.9, 0.98] }, model.dropout: 0 }
grid:
  model.residual: [post-ln, admin]
  train.adam-betas: [[0.9, 0.98], [0.9, 0.999]]
cells:
  - name: small
    model.embed-dim: 64
  - model: { embed-dim: 128 }
seeds: 2
test: true
`);
  assert.deepEqual(
    plan.files,
    ['base.yaml', 'deep.yaml'].map((name) => path.join(folder, name)),
  );
  assert.deepEqual(
    plan.set.map(({ path, value }) => [path, value]),
    [
      ['train.max-update', '400'],
      ['train.adam-betas', '[0.9,0.98]'],
      ['model.dropout', '0'],
    ],
  );
  assert.deepEqual(
    plan.grid.map(({ path, values }) => [path, values.map(({ value }) => value)]),
    [
      ['model.residual', ['"post-ln"', '"admin"']],
      ['train.adam-betas', ['[0.9,0.98]', '[0.9,0.999]']],
    ],
  );
  assert.equal(plan.grid[0].where, `${file}:5:19`);
  assert.deepEqual(
    plan.cells.map(({ name, set }) => [name, set.map(({ path, value }) => [path, value])]),
    [
      ['small', [['model.embed-dim', '64']]],
      [undefined, [['model.embed-dim', '128']]],
    ],
  );
  assert.deepEqual([plan.seeds, plan.test], [[1, 2], true]);
});

test('what is left out', () => {
  const plan = read('seeds: [7]\n');
  assert.deepEqual(plan, { files: [], set: [], grid: [], cells: [], seeds: [7], test: false });
  assert.deepEqual(read('set: {}').seeds, [1]);
});

test('every mistake is told with its place', () => {
  const cases: [text: string, message: RegExp][] = [
    ['gird: {}', /plan\.yaml:1:1: unknown key 'gird' in a plan\n {2}Did you mean 'grid'\?/],
    ['model: {}', /unknown key 'model' in a plan\n.*keys of a config stand under set, or .*--grid/],
    [
      'seeds: 0\ntest: 1',
      /1:8: seeds: expected a number of seeds, or a list of seeds; found 0\n.*2:7: test: .*found 1/,
    ],
    ['seeds: [1.5]', /seeds: expected/],
    ['grid:\n  train.lr: 3', /2:13: train\.lr: expected a list of values, found 3\n {2}A value of all cells/],
    ['grid: { train.lr: [] }', /train\.lr: expected a list of values, found \[\]/],
    ['cells: [{ name: ../up }]', /1:17: expected a name of letters.*found '\.\.\/up'/],
    ['cells: 3', /cells: expected a list of maps/],
    [
      '[1]',
      /expected a map with keys of config, set, grid, cells, seeds, test; found a list\n.*docs\/sweep\.md/,
    ],
    ['seeds: 1\nseeds: 2', /2:1: 'seeds' is set twice/],
    ['config: [\n', /not valid YAML/],
  ];
  for (const [text, message] of cases) assert.throws(() => read(text), message, text);
  assert.throws(() => readSweepPlan(path.join(folder, 'absent.yaml')), /absent\.yaml: no such file/);
});

test('--grid and --seeds', () => {
  const { path: key, values, where } = parseGrid('train.lr=1e-3,3e-3');
  assert.deepEqual([key, values.map(({ value }) => value)], ['train.lr', ['0.001', '0.003']]);
  assert.equal(where, '--grid train.lr=1e-3,3e-3');
  assert.deepEqual(
    parseGrid('train.adam-betas=[0.9,0.98],[0.9,0.999]').values.map(({ value }) => value),
    ['[0.9,0.98]', '[0.9,0.999]'],
  );
  for (const text of ['train.lr', '=1', 'train.lr=', 'train.lr=[1']) {
    assert.throws(() => parseGrid(text), /--grid: expected KEY=VALUE,VALUE/, text);
  }
  assert.deepEqual(
    [parseSeeds('3'), parseSeeds('11,12')],
    [
      [1, 2, 3],
      [11, 12],
    ],
  );
  for (const text of ['0', 'x', '1,', '-1']) assert.throws(() => parseSeeds(text), /--seeds: expected/, text);
});

test('a plan is known by its keys', () => {
  for (const [text, expected] of [
    ['config: a.yaml', true],
    ['seeds: 2', true],
    ['seed: 2', false],
    ['model: { embed-dim: 8 }', false],
    ['preset: tiny', false],
    ['- 1', false],
  ] as const) {
    writeFileSync(file, text);
    assert.equal(isSweepPlan(file), expected, text);
  }
});

test('a grid of the command line takes the place of the same keys, and adds others', () => {
  const plan = read(
    'set: { train: { warmup-updates: 5, max-update: 9 } }\ngrid: { model.residual: [post-ln, admin], train.lr: [0.001, 0.003] }',
  );
  const { set, grid } = overrideGrid(
    plan,
    ['train.warmup-updates=0,9', 'model.residual=pre-ln'].map(parseGrid),
  );
  assert.deepEqual(
    set.map(({ path }) => path),
    ['train.max-update'],
  );
  assert.deepEqual(
    grid.map(({ path, values }) => `${path}: ${values.map(({ value }) => value)}`),
    ['model.residual: "pre-ln"', 'train.lr: 0.001,0.003', 'train.warmup-updates: 0,9'],
  );
});
