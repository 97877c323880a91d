import { Worker } from 'node:worker_threads';
import type { CheckpointFailure, CheckpointJob } from '../../src/train/checkpoint-job.js';
import { buffersOf } from '../../src/train/saver.js';

const waiting = new Map<number, (failure: CheckpointFailure | undefined) => void>();
let thread: Worker | undefined;
let asked = 0;

/** Writes checkpoints in one thread for all those of a process: to start one takes longer than a tiny checkpoint does. */
export function writeWarm(job: CheckpointJob): Promise<CheckpointFailure | undefined> {
  thread ??= startThread();
  const id = asked++;
  thread.ref(); // the process does not end before the answer
  thread.postMessage({ id, job }, buffersOf(job));
  return new Promise((resolve) => {
    waiting.set(id, resolve);
  });
}

function startThread(): Worker {
  const worker = new Worker(new URL('./warm-saver-thread.js', import.meta.url));
  worker.on('message', ({ id, failure }: { id: number; failure: CheckpointFailure | undefined }) => {
    waiting.get(id)!(failure);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
  });
  worker.on('error', (error) => {
    throw error;
  });
  return worker;
}
