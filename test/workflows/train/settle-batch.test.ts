import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, describe, test } from 'node:test';
import { packageRoot } from '../../../src/common/files.js';
import { loadRunConfig } from '../../../src/config/load.js';
import { runProgram } from '../../cli/run-program.js';
import { availableBackends } from '../../ops/backends.js';

/** A little data-bin of six pairs, made by the official code. */
const DATA_BIN = path.join(packageRoot(), 'test/data/fixtures/joint');

const folder = fs.mkdtempSync(path.join(tmpdir(), 'admin-nmt-batch-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const config = {
  data: { 'source-lang': 'en', 'target-lang': 'it', destdir: DATA_BIN, prepared: true },
  model: {
    ...{ 'embed-dim': 8, 'ffn-embed-dim': 12, 'attention-heads': 2, 'max-positions': 64 },
    ...{ encoder: { layers: 1 }, decoder: { layers: 1 } },
  },
  train: { 'max-update': 2, 'validate-interval': 0 },
};
fs.writeFileSync(path.join(folder, 'config.yaml'), JSON.stringify(config));

const run = (command: string, ...flags: string[]) =>
  runProgram([command, 'config.yaml', ...flags], { cwd: folder });
const trainOf = (saveDir: string) => loadRunConfig(path.join(folder, saveDir)).config.train;

describe('max-tokens: auto', { skip: !availableBackends.includes('native') && 'no native backend' }, () => {
  const auto = ['--max-tokens', 'auto', '--memory', '4G', '--save-dir', 'auto'];

  test('is measured once, and the run records what came of it', () => {
    const first = run('train', ...auto);
    assert.equal(first.status, 0, first.stderr);
    const [, size, bytes] = /max-tokens (\d+), for which training takes (\d+) MiB/.exec(first.stderr)!;
    assert.ok(Number(bytes) > 50 && Number(bytes) < 1000);
    const { maxTokens, updateFreq, memory } = trainOf('auto');
    assert.deepEqual([String(maxTokens), updateFreq, memory], [size, 1, '4G']);

    const second = run('train', ...auto, '--max-update', '4');
    assert.equal(second.status, 0, second.stderr);
    assert.match(
      second.stderr,
      new RegExp(`Batch size as this run began: max-tokens ${size}, update-freq 1`),
    );
    assert.match(second.stderr, /Going on from .*: epoch \d, 2 updates/);
    assert.doesNotMatch(second.stderr, /Measuring/);
    assert.equal(trainOf('auto').maxTokens, maxTokens);

    const profile = run('profile', ...auto);
    assert.equal(profile.status, 0, profile.stderr);
    assert.match(profile.stderr, /Batch size as this run began/);
  });

  test('a dry run measures it and leaves nothing behind', () => {
    const flags = [...auto.slice(0, 4), '--eval-bleu', '--dry-run', '--save-dir', 'dry'];
    const { status, stdout, stderr } = run('train', ...flags);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Memory +\d+ MiB at the most, .*allowed are 4\.00 GiB \(train\.memory 4G\)$/m);
    assert.match(stdout, /^Disk +0\.0 MiB a checkpoint, at most 0\.\d MiB for 7/m);
    assert.equal(fs.existsSync(path.join(folder, 'dry')), false);
  });

  test('where not even the longest pair fits, it says what is needed', () => {
    const { status, stderr } = run('train', '--max-tokens', 'auto', '--memory', '20M', '--save-dir', 'small');
    assert.equal(status, 2);
    assert.match(stderr, /train\.memory: expected at least \d+ MiB, .* found 20 MiB/);
  });
});

test('a backend that does not tell its memory is refused', () => {
  const { status, stderr } = run('train', '--max-tokens', 'auto', '--backend', 'cpu');
  assert.equal(status, 2);
  assert.match(stderr, /train\.max-tokens: auto needs a backend that tells .*, native or webgpu; found cpu/);
});

test('batch-tokens becomes update-freq, and stays it when the run goes on', () => {
  const flags = ['--backend', 'cpu', '--max-tokens', '12', '--batch-tokens', '25', '--save-dir', 'freq'];
  const first = run('train', ...flags);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stderr, /Update: \d batches for train\.batch-tokens 25, \d+ target tokens on average/);
  const { updateFreq, batchTokens } = trainOf('freq');
  assert.ok(updateFreq > 1);
  assert.equal(batchTokens, null);
  const second = run('train', ...flags, '--max-update', '3');
  assert.equal(second.status, 0, second.stderr);
  assert.match(second.stderr, new RegExp(`max-tokens 12, update-freq ${updateFreq}`));
});

test('what is no size, and two ways to say update-freq, are refused', () => {
  const size = run('train', '--memory', 'much');
  assert.equal(size.status, 2);
  assert.match(size.stderr, /train\.memory: expected a size such as 8G or 512M, .* found 'much'/);
  const twice = run('train', '--batch-tokens', '100', '--update-freq', '2');
  assert.equal(twice.status, 2);
  assert.match(twice.stderr, /train\.update-freq follows from train\.batch-tokens/);
  const neither = run('train', '--max-tokens', 'many');
  assert.equal(neither.status, 2);
  assert.match(
    neither.stderr,
    /expected an integer of at least 1 and of at most 1000000000, or auto; found 'many'/,
  );
});
