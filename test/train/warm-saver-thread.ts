import { parentPort } from 'node:worker_threads';
import { type CheckpointJob, tryCheckpointJob } from '../../src/train/checkpoint-job.js';
import { type RingMemory, takeFrom } from '../../src/train/checkpoint-ring.js';

/* The thread of writeWarm: writes one checkpoint after the other. */

type Order = { id: number; job: CheckpointJob; ring: RingMemory };

parentPort!.on('message', async ({ id, job, ring }: Order) => {
  const take = takeFrom(ring, () => {});
  parentPort!.postMessage({ id, failure: await tryCheckpointJob(job, take) });
});
