import { parentPort, workerData } from 'node:worker_threads';
import { type CheckpointJob, tryCheckpointJob } from './checkpoint-job.js';
import { type RingMemory, takeFrom } from './checkpoint-ring.js';

/*
 * The thread of one checkpoint: it writes while training goes on. It says when there is room for more of what it is to
 * write, and answers when it fails.
 */

const { job, ring } = workerData as { job: CheckpointJob; ring: RingMemory };
const failure = await tryCheckpointJob(
  job,
  takeFrom(ring, () => parentPort!.postMessage(null)),
);
if (failure !== undefined) parentPort!.postMessage(failure);
