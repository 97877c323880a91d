import { Worker } from 'node:worker_threads';
import { type CheckpointFailure, type CheckpointJob, imageBytes } from '../../src/train/checkpoint-job.js';
import { makeRing, RingWriter } from '../../src/train/checkpoint-ring.js';
import type { Values } from '../../src/train/saver.js';

const waiting = new Map<number, (failure: CheckpointFailure | undefined) => void>();
let thread: Worker | undefined;
let asked = 0;

/** Writes checkpoints in one thread for all those of a process: to start one takes longer than a tiny checkpoint does. */
export async function writeWarm(job: CheckpointJob, values: Values): Promise<CheckpointFailure | undefined> {
  thread ??= startThread();
  const id = asked++;
  thread.ref(); // the process does not end before the answer
  const ring = makeRing(imageBytes(job)); // has room for all of a tiny checkpoint
  const written = new Promise<CheckpointFailure | undefined>((resolve) => {
    waiting.set(id, resolve);
  });
  thread.postMessage({ id, job, ring });
  await new RingWriter(ring).writeAll(values);
  return await written;
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
