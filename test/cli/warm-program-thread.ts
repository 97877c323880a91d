import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type MessagePort, workerData } from 'node:worker_threads';
import type { Outcome } from './run-program.js';

/* The thread of runProgram: hands requests to the process, and wakes who waits for the answers. */

const { signal, port, env } = workerData as { signal: Int32Array; port: MessagePort; env: NodeJS.ProcessEnv };
const program = fork(fileURLToPath(new URL('./warm-program.js', import.meta.url)), {
  env,
  silent: true,
  serialization: 'advanced',
});
let heard = '';
program.stderr!.setEncoding('utf8').on('data', (text) => {
  heard += text;
});

const answer = (outcome: Outcome): void => {
  port.postMessage(outcome);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
};
program.on('message', answer);
program.on('exit', (status, by) => {
  answer({ status, stdout: '', stderr: `the process ended by itself (${by ?? status})\n${heard}` });
});
port.on('message', (request) => {
  if (request === 'end') program.disconnect();
  else program.send(request);
});
