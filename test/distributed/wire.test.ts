import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync } from 'node:fs';
import * as path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { missing } from '../../scripts/ranks-launcher.js';
import { packageRoot } from '../../src/common/files.js';
import { program } from './run-ranks.js';

/** Runs ranks-over-a-wire on two hosts. */
function runHosts(options: readonly string[], seconds: number): { status: number | null; output: string } {
  const script = path.join(packageRoot(), 'scripts/mpi-netns.mjs');
  const command = [process.execPath, program('ranks-over-a-wire'), `${seconds}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...options, '--', ...command], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, output: stdout + stderr };
}

/** Why there cannot be several hosts with a wire between them here; false where there can. */
function lacking(): string | false {
  if (process.getuid?.() !== 0) return 'hosts with a wire between them need being root';
  const absent = ['ip', 'cc'].find((one) => spawnSync('sh', ['-c', `command -v ${one}`]).status !== 0);
  if (absent !== undefined) return `hosts with a wire between them need ${absent}`;
  try {
    accessSync('/dev/net/tun');
  } catch {
    return 'hosts with a wire between them need /dev/net/tun';
  }
  if (spawnSync('unshare', ['--net', 'true']).status !== 0) return 'no network namespaces can be made here';
  return missing('mpirun.openmpi');
}

const skip = lacking();

test('sums over a wire that is slow and loses packets are right, and take as long as it says', {
  skip,
}, () => {
  const { status, output } = runHosts(['--delay', '4', '--loss', '0.5'], 2);
  assert.equal(status, 0, output);
  const [, seconds] = /a sum takes ([\d.]+) s/.exec(output)!;
  assert.ok(Number(seconds) > 0.008, `two messages one after another, each 4 ms under way: ${seconds}`);
  assert.ok(Number(seconds) < 0.5, seconds);
  const [, given, lost] = /The wire was given (\d+) packets and lost (\d+)/.exec(output)!;
  const share = Number(lost) / Number(given);
  assert.ok(share > 0.001 && share < 0.02, `half a percent: ${lost} of ${given}`);
});

test('a wire that is cut ends all ranks within the time-out of the config', { skip }, () => {
  const { status, output } = runHosts(['--delay', '1', '--cut', '3'], 30);
  assert.notEqual(status, 0, output);
  assert.match(
    output,
    /rank \d on nmt\d+h\d has waited 2 seconds for rank \d on nmt\d+h\d, so all ranks end/,
  );
  const [, seconds] = /All ranks have ended ([\d.]+) s after that/.exec(output)!;
  assert.ok(Number(seconds) > 1.5 && Number(seconds) < 10, `those cut off, too: ${seconds}`);
});
