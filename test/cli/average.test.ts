import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { readSafetensors } from '../../src/formats/safetensors.js';
import { type Outcome, runProgram } from './run-program.js';

/** A little data-bin of six pairs, made by the official code. */
const DATA_BIN = path.join(packageRoot(), 'test/data/fixtures/joint');

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-average-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const CONFIG = {
  data: { 'source-lang': 'en', 'target-lang': 'it', destdir: DATA_BIN, prepared: true },
  model: {
    residual: 'post-ln',
    'embed-dim': 8,
    'ffn-embed-dim': 12,
    'attention-heads': 2,
    encoder: { layers: 1 },
    decoder: { layers: 1 },
  },
  train: { 'save-dir': 'run', 'max-epoch': 3, 'warmup-updates': 0, lr: 0.01 },
};

const run = (...args: string[]): Outcome => runProgram(args, { cwd: folder, input: 'x\n' });
const train = (...flags: string[]) => run('train', 'config.yaml', ...flags);
const average = (...flags: string[]) => run('average', 'run', ...flags);
const place = (...names: string[]) => path.join(folder, 'run', ...names);
const weights = (name: string) => readSafetensors(place(name, 'model.safetensors')).tensors;

function assertRefused({ status, stderr }: Outcome, pattern: RegExp): void {
  assert.equal(status, 2, stderr);
  assert.match(stderr, pattern);
}

before(() => {
  fs.writeFileSync(path.join(folder, 'config.yaml'), JSON.stringify(CONFIG));
  const { status, stderr } = train();
  assert.equal(status, 0, stderr);
});

test('the mean of two checkpoints, to translate with', () => {
  const { status, stdout, stderr } = average('--num-epoch-checkpoints', '2');
  assert.deepEqual([status, stdout], [0, ''], stderr);
  assert.match(stderr, /--checkpoint checkpoint_average_2/);
  const { checkpoints } = JSON.parse(fs.readFileSync(place('checkpoint_average_2', 'average.json'), 'utf8'));
  assert.deepEqual(
    checkpoints.map(({ epoch }: { epoch: number }) => epoch),
    [2, 3],
  );
  const [first, second] = checkpoints.map(({ name }: { name: string }) => weights(name));
  for (const [name, { data }] of weights('checkpoint_average_2')) {
    const expected = data.map((_, i) => (first.get(name).data[i] + second.get(name).data[i]) / 2);
    assert.deepEqual(data, expected, name);
  }
  const translated = run('translate', 'run', '--checkpoint', 'checkpoint_average_2');
  assert.equal(translated.status, 0, translated.stderr);
  assert.equal(translated.stdout.split('\n').length, 2);
});

test('the best by validation, under a name; an average is replaced only when that is asked for', () => {
  const best = ['--best', '1', '--metric', 'ppl', '--output', 'mine', '--quiet'];
  const { status, stderr } = average(...best);
  assert.deepEqual([status, stderr], [0, '']);
  assert.deepEqual([...weights('mine')], [...weights('checkpoint_best')]);
  assertRefused(average(...best), /run\/mine: the average is there already\n.*--overwrite/);
  assert.equal(average(...best, '--overwrite').status, 0);
});

test('what cannot be meant is refused', () => {
  assertRefused(average(), /expected one way to choose checkpoints, found none/);
  assertRefused(average('--best', '1', '--inputs', 'checkpoint_last'), /one way .*, found 2/);
  assertRefused(average('--best', '0'), /--best: expected a whole number of at least 1, found '0'/);
  assertRefused(average('--best', '1', '--checkpoint-upper-bound', '2'), /--checkpoint-upper-bound: .*alone/);
  assertRefused(average('--num-epoch-checkpoints', '1', '--metric', 'ppl'), /--metric: .*beside --best/);
  assertRefused(run('average', 'nowhere', '--best', '1'), /nowhere: no such run directory/);
  const output = (name: string) => average('--best', '1', '--overwrite', '--output', name);
  assertRefused(output('../run2'), /found a path/);
  assertRefused(output('checkpoint_9_9'), /one that training uses/);
  assertRefused(output('config.yaml'), /something that is no average is in the way/);
});

test('training does not go on from an average, nor removes it', () => {
  average('--num-update-checkpoints', '1', '--output', 'kept', '--overwrite');
  const last = fs.readlinkSync(place('checkpoint_last'));
  const point = (name: string) => {
    fs.rmSync(place('checkpoint_last'));
    fs.symlinkSync(name, place('checkpoint_last'));
  };
  point('kept');
  assertRefused(train('--max-epoch', '4'), /checkpoint_last: .*found an average/);
  point(last);
  assert.equal(train('--max-epoch', '4', '--keep-last', '1').status, 0);
  assert.ok(fs.existsSync(place('kept', 'model.safetensors')));
});
