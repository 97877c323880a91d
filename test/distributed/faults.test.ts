import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import os from 'node:os';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { type Launcher, missing } from '../../scripts/ranks-launcher.js';
import { program, runRanks } from './run-ranks.js';

const HOST = os.hostname();

/** What befalls rank 1 of 3, or all: the code that the launcher hands on, if it is ours, and what is said. */
const FAULTS: Record<string, [code: number | null, said: string | RegExp]> = {
  killed: [null, /rank 1 (on \S+ has ended|.* on signal 9)|EXIT CODE: 9|exit code 137/i],
  thrown: [1, `error: rank 1 on ${HOST}: x is undefined`],
  mistaken: [2, `error: rank 1 on ${HOST}: data.txt: no such file`],
  silent: [
    1,
    /error: rank \d on \S+ has waited 1 seconds for rank \d on \S+, so all ranks end\n {2}train\.distributed-timeout/,
  ],
  'all-mistaken': [2, 'error: data.txt: no such file'],
  'all-interrupted': [143, 'warning: saved'],
};

for (const launcher of ['mpirun.openmpi', 'mpirun.mpich'] as Launcher[]) {
  describe(`all ranks of ${launcher} end within seconds`, { skip: missing(launcher) }, () => {
    for (const [fault, [code, said]] of Object.entries(FAULTS)) {
      test(fault, async () => {
        const { status, output } = await runRanks(launcher, 3, [program('ranks-that-fail'), fault]);
        assert.ok(output.split('so all ranks end').length <= 2, `said once at most:\n${output}`);
        if (code === null) assert.notEqual(status, 0);
        else assert.equal(status, code, output);
        if (typeof said === 'string') assert.equal(output.split(said).length, 2, `said once:\n${output}`);
        else assert.match(output, said);
      });
    }
  });
}

/** An MPI whose last call has no end, as MPICH over UCX has it now and then between hosts. */
const UNENDING = '#include <unistd.h>\nextern "C" int MPI_Finalize() { for (;;) pause(); }\n';

test('what all have done counts, where MPI_Finalize has no end', {
  skip: missing('mpirun.mpich'),
}, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'admin-nmt-mpi-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const library = path.join(folder, 'libmpi.so');
  const flags = [
    '-shared',
    '-fPIC',
    '-x',
    'c++',
    '-',
    '-o',
    library,
    '-Wl,--no-as-needed',
    '-l:libmpich.so.12',
  ];
  if (spawnSync('c++', flags, { input: UNENDING }).status !== 0)
    return t.skip('no compiler, or another MPICH');
  const ranks = [program('ranks-that-fail'), 'unending'];
  const { status, output } = await runRanks('mpirun.mpich', 2, ranks, { ADMIN_NMT_MPI: library });
  assert.deepEqual([status, output], [0, 'done\n']);
});

test('a process that works alone takes leave of nobody', { skip: missing('mpirun.openmpi') }, async () => {
  const { status, output } = await runRanks('mpirun.openmpi', 1, [program('ranks-that-fail'), 'none']);
  assert.deepEqual([status, output], [0, 'done\n']);
});
