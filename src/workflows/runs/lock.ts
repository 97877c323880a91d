import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import * as path from 'node:path';
import { explainFileError, UserError, userErrorOf } from '../../common/errors.js';
import { makeFolder, removeEmptyFolders } from '../../common/folders.js';
import { log } from '../../common/log.js';
import { type Holder, holderOf, isAlive, takeLock } from '../../common/process-lock.js';

/** What a lock keeps others from, in words. */
interface Work {
  file: string;
  what: string;
  /** The flag of the folder. */
  flag: string;
}

const TRAINING: Work = { file: 'train.lock', what: 'this run is being trained', flag: '--save-dir' };
const SWEEP: Work = { file: 'sweep.lock', what: 'this sweep is being run', flag: '--output' };

/**
 * Takes a run directory for this process, and makes it where there is none: two trainings would overwrite each other's
 * checkpoints. The lock of a process that is gone is taken over.
 *
 * @returns gives it back; folders that were made for it and are empty then are removed
 * @throws UserError that names the holder
 */
export function lockRun(runDirectory: string): () => void {
  return lock(runDirectory, TRAINING);
}

/** The same of the folder of a sweep. */
export function lockSweep(folder: string): () => void {
  return lock(folder, SWEEP);
}

/** The process of this machine that trains in a run directory, if one does. */
export function trainerOf(runDirectory: string): number | undefined {
  const holder = holderIn(runDirectory);
  return holder?.host === hostname() && isAlive(holder) ? holder.pid : undefined;
}

/** Whether a process trains in a run directory; undefined where the lock is of another machine, so that it cannot be seen. */
export function isTrained(runDirectory: string): boolean | undefined {
  const holder = holderIn(runDirectory);
  if (holder === undefined) return false;
  return holder.host === hostname() ? isAlive(holder) : undefined;
}

function holderIn(runDirectory: string): Holder | undefined {
  try {
    return holderOf(path.join(runDirectory, TRAINING.file));
  } catch (error) {
    userErrorOf(error);
    return undefined; // no run directory that can be read: training says so
  }
}

function lock(folder: string, work: Work): () => void {
  const file = path.join(folder, work.file);
  try {
    const { made, taken } = takeIn(folder, file);
    if ('heldBy' in taken) throw refusal(file, taken.heldBy, work);
    if (taken.takenFrom !== undefined) {
      const who = taken.takenFrom === 'unknown' ? 'unknown' : taken.takenFrom.pid;
      log.warn(`The lock of process ${who}, which is gone, is taken over.`);
    }
    return () => {
      taken.release();
      if (made !== undefined) removeEmptyFolders(folder, made);
    };
  } catch (error) {
    throw explainFileError(error, file);
  }
}

/** Another process, which gives its lock back, may remove the folder before there is something in it. */
const ATTEMPTS = 10;

function takeIn(folder: string, file: string, attempts = ATTEMPTS) {
  const made = makeFolder(folder);
  try {
    return { made, taken: takeLock(file) };
  } catch (error) {
    if (attempts === 1 || existsSync(folder)) throw error;
    return takeIn(folder, file, attempts - 1);
  }
}

function refusal(where: string, { pid, host, since }: Holder, { what, flag }: Work): UserError {
  const here = host === hostname();
  return new UserError({
    problem: `${what} by process ${pid}${here ? '' : ` on ${host}`} since ${since}`,
    where,
    hint: here
      ? `Wait for it, or end it (kill -TERM saves first), or choose another folder with ${flag}.`
      : 'Whether it still runs cannot be seen from here. If it does not, remove the file.',
  });
}
