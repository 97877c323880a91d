import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, describe, test } from 'node:test';
import { packageRoot } from '../../../src/common/files.js';
import { mainFile, spawnProgram } from '../../cli/run-program.js';
import { availableBackends } from '../../ops/backends.js';

const skip = !availableBackends.includes('webgpu') && 'there is no graphics card, not even in software';
/** What names the card to the processes of the tests. */
const { ADMIN_NMT_GPU, VK_ICD_FILENAMES } = process.env;
const CARD = { ADMIN_NMT_GPU, VK_ICD_FILENAMES };
const CONFIG = path.join(packageRoot(), 'test', 'cli', 'fixtures', 'run-v1', 'config.yaml');
const DATA = path.join(packageRoot(), 'test', 'data', 'fixtures', 'joint');

const folder = mkdtempSync(path.join(tmpdir(), 'admin-nmt-webgpu-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const runOf = (name: string): string => path.join(folder, name);

const argsOf = (run: string, backend: string, updates: number): string[] => [
  ...['train', CONFIG, '--save-dir', run, '--destdir', DATA, '--backend', backend],
  ...[
    '--max-update',
    String(updates),
    '--no-eval-bleu',
    '--save-interval-updates',
    '2',
    '--log-interval',
    '1',
  ],
];

function train(name: string, backend: string, updates: number): string {
  const { status, stderr } = spawnProgram(argsOf(runOf(name), backend, updates), { env: CARD });
  assert.equal(status, 0, stderr);
  return stderr;
}

const figures = (name: string, key: 'loss' | 'card_mb'): number[] =>
  readFileSync(path.join(runOf(name), 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .flatMap((line) => JSON.parse(line)[key] ?? []);
const losses = (name: string): number[] => figures(name, 'loss');

const readWeightCount = (name: string): number => weights(name).length / 4;
const weights = (name: string): Buffer =>
  readFileSync(path.join(runOf(name), 'checkpoint_last', 'model.safetensors'));

/** Trains and loses the device once there are lines of metrics, as a driver may. */
function loseOnTheWay(run: string, updates: number): { status: number | null; stderr: string } {
  const tensors = new URL('../../../src/ops/tf.js', import.meta.url).href;
  const script = path.join(folder, 'lose.mjs');
  writeFileSync(
    script,
    `import { existsSync, readFileSync } from 'node:fs';
    import { tf } from '${tensors}';
    const file = ${JSON.stringify(path.join(run, 'metrics.jsonl'))};
    const timer = setInterval(() => {
      if (!existsSync(file) || readFileSync(file, 'utf8').split('\\n').length < 6) return;
      clearInterval(timer);
      tf.backend().device.lose();
    }, 5);
    timer.unref();
    await import(${JSON.stringify(mainFile)});`,
  );
  const args = [
    ...argsOf(run, 'webgpu', updates),
    '--save-interval-updates',
    '0',
    '--rescue-interval',
    '0.001',
  ];
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
}

describe('a training on a graphics card', { skip }, () => {
  test('it has the losses of the reference, with dropout, and ω from its own profile', () => {
    train('reference', 'cpu', 10);
    train('card', 'webgpu', 10);
    const [expected, found] = [losses('reference'), losses('card')];
    assert.ok(expected.length >= 10);
    assert.equal(found.length, expected.length);
    found.forEach((loss, i) => {
      assert.ok(Math.abs(loss - expected[i]) <= 1e-5 * expected[i], `${i}: ${loss}, ${expected[i]}`);
    });
  });

  test('its metrics have the memory of the card that it holds', () => {
    const held = figures('card', 'card_mb');
    assert.equal(held.length, 10);
    const leastMb = (4 * 4 * readWeightCount('card')) / 1e6; // weights, gradients and two moments
    assert.ok(
      held.every((mb) => mb > leastMb && mb < 100),
      `${held}, at least ${leastMb}`,
    );
    assert.deepEqual(figures('reference', 'card_mb'), []);
  });

  test('two trainings have the same bits, and so has one that was interrupted', () => {
    train('again', 'webgpu', 5);
    const messages = train('again', 'webgpu', 10);
    assert.match(messages, /Going on from/);
    assert.ok(weights('again').equals(weights('card')));
  });

  const long =
    process.env.ADMIN_NMT_LONG_TESTS === undefined &&
    'minutes on a driver in software: ADMIN_NMT_LONG_TESTS=1';
  test('max-tokens auto is of the memory that is allowed of the card', { skip: long }, () => {
    const rehearse = (...flags: string[]) => {
      const args = [...argsOf(runOf('auto'), 'webgpu', 2), '--max-tokens', 'auto', '--dry-run', ...flags];
      return spawnProgram(args, { env: CARD });
    };
    const { status, stdout, stderr } = rehearse('--memory', '8M');
    assert.equal(status, 0, stderr);
    assert.match(stderr, /Batch size: max-tokens \d+, for which training takes 0\.\d MiB/);
    const line =
      /^Memory +0\.\d MiB of the graphics card at the most, .*\); allowed are 8\.0 MiB \(train\.memory 8M\)$/m;
    assert.match(stdout, line);
    const share = rehearse();
    assert.equal(share.status, 2);
    assert.match(share.stderr, /train\.memory: expected a size such as 8G, .*; found '80%'/);
  });

  test('a device that is lost ends it with an error, a copy is saved, and another engine goes on from there', () => {
    const { status, stderr } = loseOnTheWay(runOf('lost'), 5000);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /error: backend: the graphics card .* failed: the device was lost/);
    const [, saved] = /The first (\d+) of \d+ updates are saved/.exec(stderr) ?? [];
    assert.ok(Number(saved) > 0, stderr);
    assert.doesNotMatch(stderr, /This is a bug/);
    assert.ok(existsSync(path.join(runOf('lost'), 'checkpoint_last')));
    const messages = train('lost', 'cpu', Number(saved) + 1);
    const [, updates] = /checkpoint_\d+_(\d+)/.exec(messages) ?? [];
    assert.equal(updates, saved);
    assert.match(messages, /computed by webgpu .*, from here on it is cpu/);
  });
});
