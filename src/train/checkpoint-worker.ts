import { parentPort, workerData } from 'node:worker_threads';
import { explainFileError, isFileError } from '../common/errors.js';
import { type CheckpointJob, doCheckpointJob } from './checkpoint-job.js';

/* The thread of one checkpoint: it writes while training goes on, and answers only when that fails. */

/** Why a checkpoint was not written. */
export interface CheckpointFailure {
  message: string;
  /** Whether the file system refused, which may pass; all else is a bug. */
  refused: boolean;
}

try {
  await doCheckpointJob(workerData as CheckpointJob);
} catch (error) {
  const { message, stack = message } = explainFileError(error) as Error;
  const refused = isFileError(error);
  parentPort!.postMessage({ message: refused ? message : stack, refused } satisfies CheckpointFailure);
}
