import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { loadRunConfig } from '../../src/config/load.js';
import type { Analysis, UpdateStep } from '../../src/report/analysis-data.js';
import { createSchedule } from '../../src/train/schedules.js';
import { scratchFolder } from './run-folders.js';
import { runProgram } from './run-program.js';

/** A little data-bin of six pairs, made by the official code; it has no validation split. */
const DATA_BIN = path.join(packageRoot(), 'test/data/fixtures/joint');
const folder = scratchFolder();

const run = (...args: string[]) => runProgram([...args, '--backend', 'cpu'], { cwd: folder });
const analyze = (...args: string[]) => run('analyze', ...args);

function figures(...args: string[]): Analysis {
  const { status, stdout, stderr } = analyze(...args);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

function refused(pattern: RegExp, ...args: string[]): void {
  const { status, stdout, stderr } = analyze(...args);
  assert.equal(status, 2, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, pattern);
}

before(() => {
  const config = {
    data: { 'source-lang': 'en', 'target-lang': 'it', destdir: DATA_BIN, prepared: true },
    model: {
      'embed-dim': 8,
      'ffn-embed-dim': 12,
      'attention-heads': 2,
      encoder: { layers: 2 },
      decoder: { layers: 1 },
    },
    train: {
      optimizer: 'adam',
      'max-update': 4,
      'validate-interval': 2,
      'save-interval': 2,
      'warmup-updates': 2,
      'keep-last': 0,
    },
  };
  fs.writeFileSync(path.join(folder, 'config.yaml'), JSON.stringify(config));
  for (const residual of ['admin', 'pre-ln']) {
    const { status, stderr } = run(
      'train',
      'config.yaml',
      '--quiet',
      '--residual',
      residual,
      '--save-dir',
      residual,
    );
    assert.equal(status, 0, stderr);
  }
});

describe('at initialisation', () => {
  test('dependency of several schemes, with the expectation beside it; nothing is written', () => {
    const { batch, dropout, dependency } = figures(
      'dependency',
      'config.yaml',
      '--schemes',
      'admin',
      'post-ln',
    );
    assert.deepEqual([batch!.split, batch!.number, batch!.sentences, dropout], ['train', 1, 6, false]);
    assert.deepEqual(
      dependency!.map(({ residual, checkpoint }) => [residual, checkpoint]),
      [
        ['admin', 'init'],
        ['post-ln', 'init'],
      ],
    );
    const [{ stacks }] = dependency!;
    assert.deepEqual(
      stacks.map(({ rows, expected }) => [rows.length, expected.length]),
      [
        [4, 4],
        [3, 3],
      ],
    );
    assert.ok(!fs.existsSync(path.join(folder, 'run')));
  });

  test('output change by depth and seed, and its growth', () => {
    const { outputChange } = figures(
      ...['output-change', 'config.yaml', '--schemes', 'post-ln', '--depths', '1', '2', '3'],
      ...['--seeds', '2', '--deltas', '1e-3', '1e-2'],
    );
    const { changes, growth, theory } = outputChange!;
    assert.equal(changes.length, 3 * 2 * 2 * 2);
    assert.ok(changes.every(({ changes }) => changes.length === 2 && changes.every((change) => change > 0)));
    assert.equal(growth.length, 2 * 2 * 2);
    for (const { depths, exponents, expected } of growth) {
      assert.deepEqual([depths, exponents.length], [[1, 2, 3], 2]);
      assert.ok(Math.abs(expected! - 1) < 1e-9);
    }
    assert.deepEqual(
      theory.filter(({ stack }) => stack === 'encoder').map(({ depth, sum }) => [depth, sum]),
      [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    );
  });

  test('gradients, and updates with and without warmup', () => {
    const { gradients, updates } = figures('gradients,updates', 'config.yaml', '--steps', '3');
    const [{ hidden, matrices, steps }] = gradients!;
    assert.deepEqual([hidden.length, matrices.length, steps], [7, 2 * 4 + 6, 3]);
    assert.deepEqual(
      updates!.map(({ warmup, steps }) => [warmup, steps.length]),
      [
        [true, 3],
        [false, 3],
      ],
    );
    const [slow, fast] = updates!.map(({ steps }) => steps[0].relativeUpdate);
    assert.ok(slow < fast);
  });

  test('dropout and seed change what is measured', () => {
    const own = (...flags: string[]) =>
      figures('dependency', 'config.yaml', ...flags).dependency![0].stacks[0].rows[3].shares;
    assert.deepEqual(own(), own());
    assert.notDeepEqual(own(), own('--with-dropout'));
    assert.notDeepEqual(own(), own('--seed', '2'));
  });
});

describe('of a run', () => {
  test('init, a checkpoint, all of them; init is what training began with', () => {
    const found = figures('dependency', 'admin', '--checkpoint', 'all').dependency!;
    assert.deepEqual(
      found.map(({ checkpoint, updates }) => [checkpoint, updates]),
      [
        ['init', 0],
        ['checkpoint_2_2', 2],
        ['checkpoint_4_4', 4],
      ],
    );
    const [initial] = figures('dependency', 'config.yaml').dependency!;
    assert.deepEqual(found[0], initial);
    assert.deepEqual(figures('dependency', 'admin').dependency![0].stacks, found[2].stacks);
    const alone = figures('dependency', 'admin/checkpoint_2_2').dependency!;
    assert.deepEqual(alone[0], found[1]);
  });

  test('output change, gradients and updates go on from a checkpoint', () => {
    const { outputChange, updates } = figures('output-change,gradients,updates', 'pre-ln', '--steps', '2');
    assert.equal(outputChange!.growth.length, 0);
    assert.deepEqual(
      outputChange!.changes.map(({ direction, changes }) => [direction, changes.length]),
      [
        ['random', 3],
        ['gradient', 1],
        ['random', 3],
        ['gradient', 1],
      ],
    );
    assert.deepEqual(
      updates!.map(({ warmup, steps }) => [warmup, steps.length]),
      [[true, 2]],
    );
    const schedule = createSchedule(loadRunConfig(path.join(folder, 'pre-ln')).config.train);
    const of = (steps: readonly UpdateStep[]): number[] => steps.map(({ lr }) => lr);
    assert.deepEqual(of(updates![0].steps), [schedule(4), schedule(5)]);
    // Without the state of the optimizer they begin anew.
    fs.cpSync(path.join(folder, 'pre-ln'), path.join(folder, 'bare'), { recursive: true });
    const last = path.join(folder, 'bare', 'checkpoint_4_4');
    fs.rmSync(path.join(last, 'optimizer.safetensors'));
    const [bare] = figures('updates', last, '--steps', '2').updates!;
    assert.deepEqual(of(bare.steps), [schedule(0), schedule(1)]);
  });

  test('ω at every checkpoint, without the data', () => {
    const { batch, omega } = figures('omega', 'admin', '--destdir', 'gone');
    assert.equal(batch, null);
    assert.deepEqual(
      omega!.map(({ updates, sublayers }) => [updates, sublayers.length]),
      [
        [2, 7],
        [4, 7],
      ],
    );
    assert.equal(omega![0].sublayers[0].start, 1);
  });
});

test('JSON and page go into files', () => {
  const { status, stdout } = analyze(
    ...['dependency', 'config.yaml', '-o', 'out.json', '--html', 'out.html'],
  );
  assert.deepEqual([status, stdout], [0, '']);
  assert.ok(JSON.parse(fs.readFileSync(path.join(folder, 'out.json'), 'utf8')).dependency);
  assert.match(fs.readFileSync(path.join(folder, 'out.html'), 'utf8'), /<h2>Dependency/);
});

describe('is refused', () => {
  test('what it does not know', () => {
    refused(/dependency, output-change/, 'plots', 'config.yaml');
    refused(/found 'postln'\s+Did you mean post-ln/, 'dependency', 'config.yaml', '--schemes', 'postln');
    refused(/whole number from 1/, 'dependency', 'config.yaml', '--batch', '0');
  });

  test('what is not there', () => {
    refused(/from 1 to 1, found 2/, 'dependency', 'config.yaml', '--batch', '2');
    refused(/test split/, 'dependency', 'config.yaml', '--split', 'test');
    refused(/checkpoint_9_9.*no checkpoint/, 'dependency', 'admin', '--checkpoint', 'checkpoint_9_9');
    refused(/no such file/, 'dependency', 'absent.yaml');
  });

  test('what does not go with the target', () => {
    refused(/it has no checkpoints/, 'dependency', 'config.yaml', '--checkpoint', 'init');
    refused(/ω moves in training alone/, 'omega', 'config.yaml');
    refused(/under pre-ln, which has no ω/, 'omega', 'pre-ln');
    refused(/--schemes.*has its own scheme/, 'dependency', 'admin', '--schemes', 'pre-ln');
    refused(/--depths.*has its own scheme and depth/, 'output-change', 'admin', '--depths', '3');
    refused(/one run directory, found a folder beside others/, 'dependency', 'config.yaml', 'admin');
  });
});
