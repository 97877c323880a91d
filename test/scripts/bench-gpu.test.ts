import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isInstalled } from '../../src/backend/webgpu/adapter.js';

const script = fileURLToPath(new URL('../../scripts/bench-gpu.js', import.meta.url));

function run(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

test('dispatches and time of an update, on a device that computes nothing', {
  skip:
    (!isInstalled() || process.platform !== 'linux') &&
    'the package webgpu is not installed, or Linux is not here',
}, () => {
  const found =
    /^1\+1: (\d+) dispatches, (\d+) batches, 0 new buffers an update; the thread that trains [\d.]+ ms .*, that of the device and others [\d.]+ ms/.exec(
      run('--layers', '1', '--updates', '5'),
    );
  assert.ok(found !== null && Number(found[1]) > 50 && Number(found[2]) >= 1, String(found));
});

/** What it tells of the memory and the dispatches of a small model. */
function measured(...args: string[]): { peak: number; between: number; buffers: number; dispatches: number } {
  const found =
    /most in use (\d+) MB .*, between updates (\d+) MB; buffers of (\d+) MB; (\d+) dispatches an update/.exec(
      run('--model', 'tiny', '--tokens', '2048', ...args),
    ) ?? [];
  const [peak, between, buffers, dispatches] = found.slice(1).map(Number);
  assert.ok(between > 0 && between < peak, String(peak));
  assert.ok(buffers >= peak, `${peak} of ${buffers}`);
  return { peak, between, buffers, dispatches };
}

test('memory of a model, of no device: less where layers are computed again', () => {
  assert.ok(measured('--recompute', 'layers').peak < measured().peak);
});

test('in float16, what is kept of a batch takes half the memory, by as many dispatches', () => {
  const [full, half] = [measured(), measured('--half', '--precision', 'float16')];
  const share = (half.peak - half.between) / (full.peak - full.between);
  assert.ok(share < 0.58, `${share} of what float32 takes`);
  assert.equal(half.dispatches, full.dispatches, 'nothing is brought to float32 on the way');
});
