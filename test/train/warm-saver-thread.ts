import { parentPort } from 'node:worker_threads';
import { type CheckpointJob, tryCheckpointJob } from '../../src/train/checkpoint-job.js';

/* The thread of writeWarm: writes one checkpoint after the other. */

parentPort!.on('message', async ({ id, job }: { id: number; job: CheckpointJob }) => {
  parentPort!.postMessage({ id, failure: await tryCheckpointJob(job) });
});
