import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLaunch } from '../../src/distributed/launcher.js';

const place = (env: Record<string, string>): unknown => {
  const found = findLaunch(env);
  return found && [found.launcher, found.rank, found.size, found.libraries[0]];
};

test('who started this process is told from the environment, and which library it wants', () => {
  assert.deepEqual(place({ OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '4' }), [
    ...['mpirun of Open MPI', 1, 4, 'libmpi.so.40'],
  ]);
  assert.deepEqual(place({ PMI_RANK: '0', PMI_SIZE: '2' }), ['mpirun of MPICH', 0, 2, 'libmpich.so.12']);
  assert.deepEqual(place({ PMI_RANK: '0', PMI_SIZE: '2', SLURM_STEP_NUM_TASKS: '2' }), [
    ...['srun with PMI', 0, 2, 'libmpich.so.12'],
  ]);
  assert.deepEqual(place({ PMIX_RANK: '3', SLURM_STEP_NUM_TASKS: '8' }), [
    ...['srun with PMIx', 3, 8, 'libmpi.so.40'],
  ]);
  const own = { OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '4', ADMIN_NMT_MPI: '/opt/libmpi.so' };
  assert.deepEqual(place(own), ['mpirun of Open MPI', 1, 4, '/opt/libmpi.so']);
});

test('a script of Slurm that srun has not started is one process, whatever it was given', () => {
  assert.equal(findLaunch({}), undefined);
  assert.equal(findLaunch({ SLURM_PROCID: '0', SLURM_NTASKS: '4' }), undefined);
});

test('several processes that cannot find each other are known as such, and by their number', () => {
  const found = findLaunch({ SLURM_PROCID: '1', SLURM_STEP_NUM_TASKS: '4' });
  assert.deepEqual([found?.launcher, found?.rank, found?.size], ['srun', 1, 4]);
  assert.match(found?.strangers ?? '', /--mpi=pmix/);
});
