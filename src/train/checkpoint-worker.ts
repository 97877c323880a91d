import { parentPort, workerData } from 'node:worker_threads';
import { type CheckpointJob, tryCheckpointJob } from './checkpoint-job.js';

/* The thread of one checkpoint: it writes while training goes on, and answers only when that fails. */

const failure = await tryCheckpointJob(workerData as CheckpointJob);
if (failure !== undefined) parentPort!.postMessage(failure);
