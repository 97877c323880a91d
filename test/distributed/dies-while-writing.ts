// Loaded before the program: the rank DYING_RANK is killed once a file is under way in the folder DYING_IN.
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const { OMPI_COMM_WORLD_RANK, PMI_RANK, DYING_RANK, DYING_IN = '' } = process.env;
const EXECUTIONER = 'executioner';

/** A thread of its own: the main one waits for other ranks. */
if (isMainThread && (OMPI_COMM_WORLD_RANK ?? PMI_RANK) === DYING_RANK)
  new Worker(new URL(import.meta.url), { workerData: EXECUTIONER }).unref();
else if (workerData === EXECUTIONER) {
  const word = new Int32Array(new SharedArrayBuffer(4));
  while (!readdirSync(DYING_IN).some((name) => name.endsWith('.tmp'))) Atomics.wait(word, 0, 0, 10);
  process.kill(process.pid, 'SIGKILL');
}
