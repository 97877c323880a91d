import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { writeTinyTask } from '../../scripts/tiny-task.js';
import { readSweepRecord } from '../../src/workflows/sweep/record.js';
import { scratchFolder } from './run-folders.js';
import { mainFile, runProgram } from './run-program.js';

const PLAN = `
config: config.yaml
set:
  data.test: valid
  model: { embed-dim: 8, ffn-embed-dim: 8, encoder: { layers: 1 }, decoder: { layers: 1 } }
  train: { max-update: 2, log-interval: 1, eval-bleu: false, average-last: 0, average-best: 0, ema-decay: null }
  decode: { beam: 1, max-len-b: 3 }
cells:
  - name: good
  - name: blocked
    model.dropout: 0.2
  - name: wild
    train: { lr: 1.0e+9, weight-decay: 1.0e+9, warmup-updates: 0, max-update: 20 }
test: true
`;

const folder = scratchFolder();
const sweep = (...args: string[]) => runProgram(['sweep', '-o', 'out', ...args], { cwd: folder });
const record = () => readSweepRecord(path.join(folder, 'out'))!;
const ends = () => record().cells.map(({ end }) => end);
const logOf = (cell: string) => fs.readFileSync(path.join(folder, 'out', cell, 'train.log'), 'utf8');
const starts = (cell: string) => logOf(cell).split('$ admin-nmt train').length - 1;

before(() => {
  writeTinyTask(folder);
  fs.writeFileSync(path.join(folder, 'plan.yaml'), PLAN);
  // A config of somebody else: train refuses the folder.
  fs.mkdirSync(path.join(folder, 'out/blocked,seed=1'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'out/blocked,seed=1/config.yaml'), 'mine: 1\n');
});

describe('a sweep', () => {
  test('says what it would do', () => {
    const { status, stdout } = sweep('plan.yaml', '--dry-run');
    assert.equal(status, 0);
    assert.equal(stdout, 'good,seed=1\tto do\nblocked,seed=1\tto do\nwild,seed=1\tto do\n');
    assert.equal(fs.existsSync(path.join(folder, 'data-bin')), false);
  });

  test('goes to its end although cells fail and diverge', () => {
    const { status, stdout, stderr } = sweep('plan.yaml', '--jobs', '2');
    assert.equal(status, 2, stderr);
    assert.match(
      stderr,
      /out\/blocked,seed=1\/train\.log: this cell failed: .*found a config\.yaml that train did not write/,
    );
    assert.match(stderr, /--retry-failed/);
    assert.match(stderr, /\nE early: not more than 10 % below the unigram plateau, but still falling/);
    assert.deepEqual(ends(), ['done', 'failed', 'diverged']);
    assert.deepEqual(
      stdout
        .split('\n')
        .slice(2, 5)
        .map((row) =>
          row
            .split(/ *\| */)
            .slice(1, 3)
            .join(' '),
        ),
      ['good E', 'blocked F', 'wild D'],
    );
    assert.match(
      logOf('good,seed=1'),
      /^\$ admin-nmt train config\.yaml --set [\s\S]*\$ admin-nmt translate/,
    );
    assert.match(fs.readFileSync(path.join(folder, 'out/sweep.md'), 'utf8'), /wild,seed=1 .*diverged/);
    assert.match(fs.readFileSync(path.join(folder, 'out/sweep.html'), 'utf8'), /BLEU: nrefs:1/);
  });

  test('goes on where the system refuses a cell its folder', () => {
    const cells = PLAN.slice(0, PLAN.indexOf('cells:'));
    fs.writeFileSync(path.join(folder, 'refused.yaml'), `${cells}cells: [{ name: a }, { name: b }]\n`);
    fs.mkdirSync(path.join(folder, 'refused'));
    for (const name of ['a', 'b']) fs.writeFileSync(path.join(folder, `refused/${name},seed=1`), '');
    const { status, stderr } = runProgram(['sweep', '-o', 'refused', 'refused.yaml'], { cwd: folder });
    assert.equal(status, 2);
    for (const name of ['a', 'b'])
      assert.ok(stderr.includes(`error: refused/${name},seed=1/train.log: this cell failed: `), stderr);
    assert.ok(fs.existsSync(path.join(folder, 'refused/sweep.html')));
  });

  test('leaves alone what is at its end, and retries what failed when told so', () => {
    fs.rmSync(path.join(folder, 'out/blocked,seed=1/config.yaml'));
    assert.equal(sweep('plan.yaml').status, 2);
    assert.deepEqual(ends(), ['done', 'failed', 'diverged']);
    const { status, stderr } = sweep('plan.yaml', '--retry-failed');
    assert.equal(status, 0, stderr);
    assert.deepEqual(ends(), ['done', 'done', 'diverged']);
    assert.deepEqual([starts('good,seed=1'), starts('blocked,seed=1'), starts('wild,seed=1')], [1, 2, 1]);
  });

  test('reports without training', () => {
    fs.rmSync(path.join(folder, 'out/sweep.md'));
    const { status, stdout } = sweep('--report-only');
    assert.equal(status, 0);
    assert.match(stdout, /^\| cell/);
    assert.ok(fs.existsSync(path.join(folder, 'out/sweep.md')));
    const none = runProgram(['sweep', '-o', folder, '--report-only']);
    assert.equal(none.status, 2);
    assert.match(none.stderr, /expected the folder of a sweep, found no sweep\.json/);
  });
});

test('a signal is handed on, trainings save, and the same command goes on', async () => {
  const args = [
    'config.yaml',
    '--seeds',
    '1',
    '-o',
    'long',
    '--set',
    'train.log-interval=1',
    '--set',
    'train.eval-bleu=false',
  ];
  const child = spawn(process.execPath, [mainFile, 'sweep', ...args, '--set', 'train.max-update=100000'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const exit = new Promise((resolve) => {
    child.on('close', resolve);
  });
  const run = path.join(folder, 'long/all,seed=1');
  const metrics = path.join(run, 'metrics.jsonl');
  const deadline = Date.now() + 60_000;
  while (
    Date.now() < deadline &&
    child.exitCode === null &&
    !(fs.existsSync(metrics) && fs.statSync(metrics).size > 0)
  )
    await setTimeout(50);
  const second = runProgram(['sweep', ...args], { cwd: folder });
  assert.equal(second.status, 2);
  assert.match(second.stderr, /sweep\.lock: this sweep is being run by process/);
  child.kill('SIGINT');
  assert.equal(await exit, 130, stderr);
  assert.match(stderr, /Interrupted: 0 of 1 cells are at their end/);
  assert.ok(fs.existsSync(path.join(run, 'checkpoint_last')));
  const { status, stderr: after } = runProgram(
    [
      'sweep',
      ...args,
      '--set',
      'train.max-update=1',
      '--set',
      'train.average-last=0',
      '--set',
      'train.average-best=0',
    ],
    { cwd: folder },
  );
  assert.equal(status, 0, after);
  assert.match(fs.readFileSync(path.join(run, 'train.log'), 'utf8'), /Going on from .*checkpoint_/);
});

test('a bad plan starts nothing', () => {
  fs.writeFileSync(path.join(folder, 'bad.yaml'), 'config: config.yaml\ngrid: { model.residul: [admin] }\n');
  const { status, stderr } = runProgram(['sweep', 'bad.yaml', '-o', 'bad'], { cwd: folder });
  assert.equal(status, 2);
  assert.match(
    stderr,
    /^error: bad\.yaml:2:24: unknown key 'model\.residul'\n {2}Did you mean 'model\.residual'\?\n$/,
  );
  assert.equal(fs.existsSync(path.join(folder, 'bad')), false);
  const { stdout } = runProgram(
    ['sweep', 'plan.yaml', '--seeds', '71,72', '--grid', 'train.log-interval=3', '-o', 'bad', '--dry-run'],
    { cwd: folder },
  );
  assert.deepEqual(stdout.match(/^good.*$/gm), [
    'good,log-interval=3,seed=71\tto do',
    'good,log-interval=3,seed=72\tto do',
  ]);
  const two = runProgram(['sweep', 'a.yaml', 'b.yaml', '-o', 'bad'], { cwd: folder });
  assert.match(two.stderr, /expected one plan, found 2 files\n.*--grid/);
});
