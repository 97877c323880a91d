import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { missing } from '../../scripts/ranks-launcher.js';
import { packageRoot } from '../../src/common/files.js';
import { program } from './run-ranks.js';

/** Why there cannot be several nodes of Slurm here; false where there can. */
const absent =
  ['slurmctld', 'slurmd', 'munged', 'ip'].find(
    (one) => spawnSync('sh', ['-c', `command -v ${one}`]).status !== 0,
  ) ?? (process.getuid?.() === 0 ? undefined : 'being root');
const skip = absent === undefined ? missing('mpirun.mpich') : `several nodes of Slurm need ${absent}`;

test('a rank that is killed ends those of another node before Slurm kills them', { skip }, () => {
  const ranks = [
    '-N2',
    '-n4',
    '--mpi=pmi2',
    '--kill-on-bad-exit=1',
    process.execPath,
    program('ranks-that-fail'),
  ];
  const script = path.join(packageRoot(), 'scripts/slurm-hosts.mjs');
  const start = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    [script, '--', 'srun', ...ranks, 'killed-beside-listeners'],
    {
      encoding: 'utf8',
      timeout: 100_000,
    },
  );
  const seconds = (performance.now() - start) / 1000;
  assert.notEqual(status, 0, stderr);
  assert.match(stderr, /error: rank 1 on nmt\d+h0 has ended/);
  assert.ok(seconds < 30, `${seconds} seconds, of which Slurm waits 30 before it kills`);
});
