import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { test } from 'node:test';
import { beginningOf, isRunning } from '../../src/common/processes.js';

test('a process runs until it ends, also where nobody has asked yet how it ended', {
  skip: existsSync('/proc/self/stat') ? false : 'the system does not tell',
}, () => {
  assert.ok(isRunning(process.pid) && beginningOf(process.pid) !== '');
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  const word = new Int32Array(new SharedArrayBuffer(4));
  // This thread waits all the while, so that Node.js does not ask.
  for (let turn = 0; isRunning(child.pid!); turn++) {
    assert.ok(turn < 500, 'a process that has ended counts as one that runs');
    Atomics.wait(word, 0, 0, 20);
  }
  assert.equal(child.exitCode, null);
});
