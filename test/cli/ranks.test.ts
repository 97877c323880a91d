import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram } from './run-program.js';

test('--ranks without --dry-run says who starts ranks', () => {
  const { status, stderr } = runProgram(['train', '--seed', '2', '--ranks', '4']);
  assert.equal(status, 2);
  assert.match(
    stderr,
    /--ranks .*: expected with --dry-run, found without\n {2}MPI starts them: mpirun -n 4 /,
  );
});
