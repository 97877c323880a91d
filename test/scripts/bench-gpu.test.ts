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

test('memory of a model, of no device: less where layers are computed again', () => {
  const peakOf = (...args: string[]): number => {
    const [, peak, between, buffers] =
      /most in use (\d+) MB .*, between updates (\d+) MB; buffers of (\d+) MB/.exec(
        run('--model', 'tiny', '--tokens', '2048', ...args),
      ) ?? [];
    assert.ok(Number(between) > 0 && Number(between) < Number(peak), peak);
    assert.ok(Number(buffers) >= Number(peak), `${peak} of ${buffers}`);
    return Number(peak);
  };
  assert.ok(peakOf('--recompute', 'layers') < peakOf());
});
