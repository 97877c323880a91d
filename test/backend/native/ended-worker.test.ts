import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { packageRoot } from '../../../src/common/files.js';
import { availableBackends } from '../../ops/backends.js';

const skip = !availableBackends.includes('native') && 'the native engine is not built';

/** Ends workers while they are in calls of the engine, some of which it refuses. */
const PROGRAM = `
  const { Worker } = require('node:worker_threads');
  const CALLS = \`
    const { parentPort } = require('node:worker_threads');
    const engine = require(process.env.ENGINE);
    parentPort.postMessage('begun');
    for (;;) {
      engine.allocate(1000);
      try { engine.allocate(-1); } catch {}
    }\`;
  (async () => {
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(CALLS, { eval: true });
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
    }
    console.log('alive');
  })();`;

test('a worker that is ended in the midst of a call does not take the process with it', { skip }, () => {
  const engine = path.join(packageRoot(), 'native', 'build', `${process.platform}-${process.arch}.node`);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', PROGRAM], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ENGINE: engine },
  });
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'alive\n');
});
