import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/common/files.js';
import { readSafetensors } from '../../src/formats/safetensors.js';
import { type Outcome, runProgram } from './run-program.js';

const fixtures = path.join(packageRoot(), 'test', 'cli', 'fixtures');
const DATA = path.join(packageRoot(), 'test', 'data', 'fixtures', 'joint');

/** A copy of a run directory of version 0.1.0, whose checkpoint, after three updates, has version 1. */
function oldRun(): string {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-resume-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const run = path.join(folder, 'run');
  fs.cpSync(path.join(fixtures, 'run-v1'), run, { recursive: true, verbatimSymlinks: true });
  return run;
}

/** Trains with the config of the stored run. */
function train(run: string, ...flags: string[]): Outcome {
  const config = path.join(fixtures, 'run-v1', 'config.yaml');
  return runProgram(['train', config, '--save-dir', run, '--destdir', DATA, ...flags]);
}

function trains(run: string, ...flags: string[]): string {
  const { status, stderr } = train(run, ...flags);
  assert.equal(status, 0, stderr);
  return stderr;
}

function refuses({ status, stderr }: Outcome, ...patterns: RegExp[]): void {
  assert.equal(status, 2, stderr);
  for (const pattern of patterns) assert.match(stderr, pattern);
  assert.doesNotMatch(stderr, /\n\s+at .*\.js:\d+/);
}

const stateFile = (run: string): string => path.join(run, 'checkpoint_last', 'state.json');
const readState = (run: string) => JSON.parse(fs.readFileSync(stateFile(run), 'utf8'));

test('a checkpoint of version 1 is gone on from, and comes to what an uninterrupted run does', () => {
  const run = oldRun();
  assert.equal(readState(run).version, 1);
  const messages = trains(run, '--max-update', '6');
  assert.match(messages, /Going on from .*checkpoint_3_3: epoch 3, 3 updates/);
  assert.match(messages, /train\.max-update was 3, from here on it is 6/);
  const { version, origin, state } = readState(run);
  assert.deepEqual([version, origin.settings.seed, state.updates], [2, 3, 6]);
  const whole = path.join(path.dirname(run), 'whole');
  trains(whole, '--max-update', '6');
  const [resumed, straight] = [run, whole].map(
    (folder) => readSafetensors(path.join(folder, 'checkpoint_last', 'model.safetensors')).tensors,
  );
  for (const [name, { data }] of straight) {
    const other = resumed.get(name)!.data;
    assert.ok(
      data.every((value, i) => Math.abs(value - other[i]) < 1e-5),
      name,
    ); // another machine may have stored it
  }
  const check = runProgram(['check', run]);
  assert.equal(check.status, 0, check.stdout);
});

test('settings: what is bound is refused unless it is allowed, the rest may change and says so', () => {
  const run = oldRun();
  refuses(
    train(run, '--max-update', '6', '--seed', '4', '--dropout', '0.3'),
    /state\.json: the checkpoint was trained with seed 3, found 4/,
    /trained with model\.dropout 0\.1, found 0\.3/,
    /--allow-change seed --allow-change model\.dropout/,
  );
  assert.equal(readState(run).state.updates, 3, 'nothing has happened');
  const allowed = ['--allow-change', 'seed,model.max-positions', '--allow-change', 'model.dropout'];
  const messages = trains(
    run,
    '--max-update',
    '4',
    '--lr',
    '0.02',
    '--seed',
    '4',
    '--dropout',
    '0.3',
    ...allowed,
  );
  for (const line of [
    /train\.lr was 0\.01, from here on it is 0\.02/,
    /seed was 3.*it is 4/,
    /model\.dropout was 0\.1/,
  ])
    assert.match(messages, line);
  const { settings } = readState(run).origin;
  assert.deepEqual([settings.seed, settings['train.lr'], settings['model.dropout']], [4, 0.02, 0.3]);
  refuses(train(run, '--max-update', '6'), /trained with seed 4, found 3/);
  refuses(train(run, '--allow-change', 'model.dropuot'), /unknown key 'model\.dropuot'/, /'model\.dropout'/);
});

test('the checkpoint is what settings are compared with, not the config.yaml beside it', () => {
  const run = oldRun();
  assert.doesNotMatch(trains(run, '--max-update', '4'), /was computed by/, 'version 1 does not tell');
  const config = path.join(run, 'config.yaml');
  fs.writeFileSync(config, fs.readFileSync(config, 'utf8').replace(/^seed: 3/m, 'seed: 4'));
  refuses(train(run, '--max-update', '5', '--seed', '4'), /trained with seed 3, found 4/);
  assert.doesNotMatch(trains(run, '--max-update', '5'), /was computed by/);
});

test('going on with another engine says that the bits will be others', () => {
  const run = oldRun();
  trains(run, '--max-update', '4', '--backend', 'cpu');
  assert.equal(readState(run).origin.engine, 'cpu');
  const messages = trains(run, '--max-update', '5', '--backend', 'wasm', '--quiet');
  assert.match(messages, /^warning: The checkpoint was computed by cpu, from here on it is wasm: .*\n$/);
  assert.equal(readState(run).origin.engine, 'wasm');
});

test('a setting that decides shapes may be allowed; the weights answer for themselves', () => {
  refuses(
    train(oldRun(), '--max-update', '6', '--ffn-embed-dim', '8', '--allow-change', 'model.ffn-embed-dim'),
    /model\.safetensors: expected 'encoder\.layers\.0\.fc1\.weight' of shape \[8,4\], found \[4,4\]/,
  );
});

test('other data: refused with both hashes', () => {
  const apart = path.join(path.dirname(DATA), 'apart');
  refuses(
    train(
      oldRun(),
      '--max-update',
      '6',
      '--destdir',
      apart,
      '--set',
      'model.share-embeddings=none',
      '--allow-change',
      'model.share-embeddings',
    ),
    /vocabulary of 24 symbols \([0-9a-f]{8}\), found one of 32 symbols \([0-9a-f]{8}\)/,
  );
  const run = oldRun();
  const file = stateFile(run);
  fs.rmSync(path.join(run, 'checkpoint_last', 'checksums.json'));
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/("dataHash": ")\w{8}/, '$100000000'));
  refuses(train(run, '--max-update', '6'), /training split [0-9a-f]{8}, found one of 00000000/);
});

test('files of a later version are refused with theirs and ours', () => {
  const later = (change: (run: string) => void): string => {
    const run = oldRun();
    change(run);
    return run;
  };
  const run = later((folder) => {
    fs.rmSync(path.join(folder, 'checkpoint_last', 'checksums.json'));
    fs.writeFileSync(stateFile(folder), '{"format":"admin-nmt/checkpoint","version":3,"other":true}');
  });
  refuses(
    train(run, '--max-update', '6'),
    /state\.json: expected a checkpoint of version 2 or before, found version 3/,
    /A later admin-nmt wrote it; this is \d/,
  );
  const newKeys = later((folder) => {
    const config = path.join(folder, 'config.yaml');
    const text = fs.readFileSync(config, 'utf8');
    fs.writeFileSync(
      config,
      text.replace('\n', '\n# admin-nmt 99.0.0\n').replace('train:\n', 'train:\n  telepathy: true\n'),
    );
  });
  refuses(
    runProgram(['translate', newKeys], { input: 'a\n' }),
    /config\.yaml: the run was trained by admin-nmt 99\.0\.0; this is \d/,
    /unknown key 'train\.telepathy'/,
  );
  const check = runProgram(['check', newKeys]);
  assert.match(check.stdout, /config\.yaml: the run was trained by admin-nmt 99\.0\.0/);
  const sums = later((folder) => {
    const file = path.join(folder, 'checkpoint_last', 'checksums.json');
    const { checksum: _, ...content } = JSON.parse(fs.readFileSync(file, 'utf8'));
    fs.writeFileSync(file, JSON.stringify({ ...content, version: 2 }));
  });
  refuses(
    train(sums, '--max-update', '6'),
    /checksums\.json: expected the checksums of a folder of version 1 or before, found version 2/,
  );
});
