import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { writeChecksums } from '../common/checksums.js';
import { explainFileError, isFileError } from '../common/errors.js';
import { type FileSum, sumOf } from '../common/file-sum.js';
import { writeFileAtomic, writeFolderAtomic } from '../common/files.js';
import { syncFile } from '../common/folders.js';
import type { GrownSum } from '../common/growing-sum.js';
import { bytesOf, type LaidOut, writeInPieces } from '../formats/safetensors.js';
import {
  BEST_CHECKPOINT,
  isThere,
  LAST_CHECKPOINT,
  pointTo,
  removeOld,
  STATE_FILE,
} from './checkpoint-folders.js';
import type { TakeBytes } from './checkpoint-ring.js';
import { METRICS_FILE } from './metrics-log.js';

/** What a checkpoint holds, but for the values of its tensors, which come beside it. */
export interface CheckpointImage {
  /** By name of the file. */
  files: Record<string, readonly LaidOut[]>;
  /** The content of state.json. */
  state: string;
  /** Updates done. */
  updates: number;
}

/** A checkpoint to be written, and what then becomes of those before it. Plain data: it is sent to a thread. */
export interface CheckpointJob extends CheckpointImage {
  runDirectory: string;
  name: string;
  /** What metrics.jsonl is at this point. */
  metrics: GrownSum;
  /** The names of the best checkpoints, the best first. */
  bests: readonly string[];
  /** Names of checkpoints that are not to be removed. */
  spared: readonly string[];
  /** Numbered checkpoints to keep beside those and the last; Infinity for all. */
  keep: number;
}

/** Bytes of the values of an image. */
export function imageBytes({ files }: Pick<CheckpointImage, 'files'>): number {
  return Object.values(files)
    .flat()
    .reduce((sum, tensor) => sum + bytesOf(tensor), 0);
}

/**
 * Writes a checkpoint, points the links of the run at it, and removes those that are not to be kept.
 *
 * @param take gives the values of its tensors
 * @throws UserError for what the file system refuses; the checkpoints before are untouched then
 */
export async function doCheckpointJob(job: CheckpointJob, take: TakeBytes): Promise<void> {
  const { runDirectory, name, bests, spared, keep, metrics } = job;
  await writeImage(path.join(runDirectory, name), job, take, metrics);
  pointTo(runDirectory, LAST_CHECKPOINT, name);
  const best = bests.find((candidate) => isThere(runDirectory, candidate));
  if (best !== undefined) pointTo(runDirectory, BEST_CHECKPOINT, best);
  removeOld(runDirectory, keep, spared);
}

/** Why a checkpoint was not written. */
export interface CheckpointFailure {
  message: string;
  /** Whether the file system refused, which may pass; all else is a bug. */
  refused: boolean;
}

/** Does the job. @returns why it could not be done, for the thread that asked */
export async function tryCheckpointJob(
  job: CheckpointJob,
  take: TakeBytes,
): Promise<CheckpointFailure | undefined> {
  try {
    await doCheckpointJob(job, take);
    return undefined;
  } catch (error) {
    const { message, stack = message } = explainFileError(error) as Error;
    const refused = isFileError(error);
    return { message: refused ? message : stack, refused };
  }
}

/**
 * Writes the folder of a checkpoint: the whole of it or nothing. Its checksums are of what was to be written, not of
 * what was.
 *
 * @param take gives the values of its tensors, file by file
 * @param metrics what it goes on from of them, if anything
 */
export async function writeImage(
  folder: string,
  { files, state, updates }: CheckpointImage,
  take: TakeBytes,
  metrics?: GrownSum,
): Promise<void> {
  const metadata = { format: 'pt', updates: String(updates) };
  const beside = metricsSoFar(folder, metrics);
  await writeFolderAtomic(folder, (temporary) => {
    const sums = Object.entries(files).map(([name, layout]): [string, FileSum] => [
      name,
      writeInPieces(path.join(temporary, name), layout, take(imageBytes({ files: { layout } })), metadata),
    ]);
    writeFileAtomic(path.join(temporary, STATE_FILE), state);
    writeChecksums(temporary, { files: { ...Object.fromEntries(sums), [STATE_FILE]: sumOf(state) }, beside });
  });
}

/** The metrics at this point, which are on the disk then. They only grow, so they begin like that ever after. */
function metricsSoFar(folder: string, metrics?: GrownSum): Record<string, GrownSum> {
  const file = path.join(path.dirname(folder), METRICS_FILE);
  if (metrics === undefined || !existsSync(file)) return {};
  syncFile(file);
  return { [METRICS_FILE]: metrics };
}
