import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, test } from 'node:test';
import { writeToyCorpus } from '../../src/data/toy-language.js';
import { check } from '../../src/workflows/check/check.js';
import { scratchFolder, writeFiles } from '../pipeline/program.js';
import { type Outcome, runProgram, spawnProgram } from './run-program.js';

const CONFIG = `
data: { source-lang: toa, target-lang: tob, root: corpus, train: train, valid: valid, destdir: data,
        tokenizer: { vocab-size: 120 } }
model: { residual: admin, embed-dim: 8, ffn-embed-dim: 8, attention-heads: 2,
         encoder: { layers: 1 }, decoder: { layers: 1 } }
train: { save-dir: run, max-tokens: 200, max-update: 4, save-interval-updates: 2, keep-last: 0, log-interval: 1 }
`;

let trained: string;

const program = (cwd: string, args: readonly string[]): Outcome => runProgram(args, { cwd });

before(() => {
  trained = scratchFolder('check');
  writeToyCorpus(path.join(trained, 'corpus'), { pairs: 100 });
  writeFiles(trained, { 'toy.yaml': CONFIG });
  const { status, stderr } = program(trained, ['train', 'toy.yaml']);
  assert.equal(status, 0, stderr);
});

function workspace(): string {
  const folder = scratchFolder('check');
  fs.cpSync(trained, folder, { recursive: true, verbatimSymlinks: true });
  return folder;
}

const looksAt = (folder: string, ...args: string[]): Outcome => program(folder, ['check', ...args]);
const verdicts = (folder: string): Record<string, string> =>
  Object.fromEntries(
    check(folder).findings.map(({ what, verdict }) => [path.relative(folder, what), verdict]),
  );

/** Flips a bit in the middle. */
function tear(file: string): void {
  const bytes = fs.readFileSync(file);
  bytes[bytes.length >> 1] ^= 1;
  fs.writeFileSync(file, bytes);
}

test('all is well: a line for each thing, exit code 0', () => {
  for (const name of ['run', 'data', 'run/checkpoint_last', 'run/checkpoint_1_2']) {
    const { status, stdout, stderr } = looksAt(trained, name);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, / ok, 0 damaged, 0 not verified/);
    assert.equal(stderr, '');
  }
});

test('damage: which, where, what resume would take; exit code 2', () => {
  const folder = workspace();
  tear(path.join(folder, 'run', 'checkpoint_1_4', 'model.safetensors'));
  const { status, stdout, stderr } = looksAt(folder, 'run');
  assert.equal(status, 2);
  assert.match(stdout, /^damaged +run\/checkpoint_1_4\/model\.safetensors: .*SHA-256/m);
  assert.match(stdout, /go on from checkpoint_1_2: 2 updates are lost/);
  assert.match(stderr, /run: 1 of \d+ things are damaged/);
  const json = looksAt(folder, 'run', '--json');
  assert.equal(json.status, 2);
  assert.equal(
    JSON.parse(json.stdout).findings.filter(({ verdict }: { verdict: string }) => verdict === 'damaged')
      .length,
    1,
  );
});

test('train goes on from the intact checkpoint and says so; a damaged dataset is not trained on', () => {
  const folder = workspace();
  fs.truncateSync(path.join(folder, 'run', 'checkpoint_1_4', 'optimizer.safetensors'), 1000);
  const { status, stderr } = program(folder, ['train', 'toy.yaml']);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /checkpoint_1_4 is damaged: .*optimizer\.safetensors/);
  assert.match(
    stderr,
    /Going back to run\/checkpoint_1_2, after 2 updates: 2 updates are lost and made again/,
  );
  assert.match(stderr, /kept as damaged_checkpoint_1_4/);
  assert.equal(looksAt(folder, 'run').status, 0);
  tear(path.join(folder, 'data', 'train.toa-tob.toa.bin'));
  const refused = program(folder, ['train', 'toy.yaml', '--max-update', '5']);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /train\.toa-tob\.toa\.bin: the file is not as it was written/);
  assert.match(refused.stderr, /preprocess --overwrite/);
});

test('what fits each other no more: dictionary, config, links, metrics, profile', () => {
  const folder = workspace();
  const run = path.join(folder, 'run');
  fs.rmSync(path.join(run, 'checksums.json'));
  const config = path.join(run, 'config.yaml');
  fs.writeFileSync(config, fs.readFileSync(config, 'utf8').replace('ffn-embed-dim: 8', 'ffn-embed-dim: 16'));
  fs.appendFileSync(path.join(run, 'metrics.jsonl'), '{"num_updates":5}\n{"num_up');
  fs.writeFileSync(path.join(run, 'profile.ratio.init'), '1 1\n2 2\n1 1\n2 2\n3 3\n');
  fs.rmSync(path.join(run, 'checkpoint_best'));
  fs.symlinkSync('nowhere', path.join(run, 'checkpoint_best'));
  const found = verdicts(run);
  assert.equal(found['checksums.json'], 'not verified');
  assert.equal(found['config.yaml'], 'not verified');
  assert.equal(found['checkpoint_1_4/model.safetensors'], 'damaged');
  assert.equal(
    found['checkpoint_1_4/state.json'],
    'not verified',
    'the config of the run may have been changed',
  );
  assert.equal(found['profile.ratio.init'], 'damaged');
  assert.equal(found.checkpoint_best, 'damaged');
});

test('folders of earlier versions: read as far as they can be, and said to be unverified', () => {
  const folder = workspace();
  const run = path.join(folder, 'run');
  for (const name of ['.', 'checkpoint_1_2', 'checkpoint_1_4'])
    fs.rmSync(path.join(run, name, 'checksums.json'));
  const found = verdicts(run);
  assert.ok(!Object.values(found).includes('damaged'), JSON.stringify(found));
  assert.equal(found['checkpoint_1_4/checksums.json'], 'not verified');
  fs.rmSync(path.join(folder, 'data', 'manifest.json'));
  const data = verdicts(path.join(folder, 'data'));
  assert.equal(data['manifest.json'], 'not verified');
  assert.equal(data['train.toa-tob'], 'ok');
});

test('other folders are refused', () => {
  const folder = scratchFolder('check');
  for (const args of [['nowhere'], ['.']]) {
    const { status, stderr } = looksAt(folder, ...args);
    assert.equal(status, 2);
    assert.match(stderr, /expected a run directory, a checkpoint or a dataset/);
  }
});

test('averages are looked at, in the run and by themselves', () => {
  const folder = workspace();
  const made = program(folder, ['average', 'run', '--num-update-checkpoints', '2']);
  assert.equal(made.status, 0, made.stderr);
  const average = path.join(folder, 'run', 'checkpoint_average_2');
  const of = (place: string): string[] =>
    check(place)
      .findings.filter(({ what }) => what.includes('checkpoint_average_2'))
      .map(({ verdict }) => verdict);
  assert.deepEqual(of(average), ['ok', 'ok', 'ok']);
  assert.deepEqual(of(path.join(folder, 'run')), ['ok', 'ok', 'ok']);
  tear(path.join(average, 'average.json'));
  tear(path.join(average, 'model.safetensors'));
  assert.deepEqual(of(path.join(folder, 'run')), ['ok', 'damaged', 'damaged']);
  tear(path.join(average, 'checksums.json'));
  assert.equal(of(path.join(folder, 'run'))[0], 'damaged');
});

test('a folder or an engine, and not both', () => {
  const found = (...args: string[]): string => {
    const { status, stdout, stderr } = program(trained, ['check', ...args]);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    return (
      /expected a folder, or --backend with the name of an engine, found (\w+)/.exec(stderr)?.[1] ?? stderr
    );
  };
  assert.equal(found(), 'nothing');
  assert.equal(found('run', '--backend', 'native'), 'both');
  assert.equal(found('--backend', 'auto'), 'auto');
});

test('an engine that is not there: one JSON object, the message of train, exit code 2', () => {
  const { status, stdout, stderr } = spawnProgram(['check', '--backend', 'native', '--json'], {
    env: { ADMIN_NMT_NATIVE: 'no-such-folder' },
  });
  assert.equal(status, 2, stderr);
  const { format, backend, missing, correctness } = JSON.parse(stdout);
  assert.deepEqual([format, backend, correctness], ['admin-nmt/self-test', null, null]);
  assert.match(missing.problem, /^the backend 'native' is not available/);
  assert.match(stderr, /^error: backend: the backend 'native' is not available: its addon is not built/m);
});
