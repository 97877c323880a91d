import * as fs from 'node:fs';
import { hostname } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { explainFileError, UserError } from '../common/errors.js';
import { makeFolder, removeEmptyFolders } from '../common/folders.js';
import { log } from '../common/log.js';
import { isRunning } from '../common/processes.js';

/** What a lock says of the process that holds it. */
interface Holder {
  pid: number;
  host: string;
  /** When the process began, by the clock of its system, so that a pid that is used again is told apart; '' if unknown. */
  began: string;
  since: string;
}

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
  const holder = readHolder(path.join(runDirectory, TRAINING.file));
  return holder?.host === hostname() && isAlive(holder) ? holder.pid : undefined;
}

/** Whether a process trains in a run directory; undefined where the lock is of another machine, so that it cannot be seen. */
export function isTrained(runDirectory: string): boolean | undefined {
  const holder = readHolder(path.join(runDirectory, TRAINING.file));
  if (holder === undefined) return false;
  return holder.host === hostname() ? isAlive(holder) : undefined;
}

function lock(folder: string, work: Work): () => void {
  const made = make(folder);
  const file = path.join(folder, work.file);
  const own: Holder = {
    pid: process.pid,
    host: hostname(),
    began: beginningOf(process.pid),
    since: new Date().toISOString(),
  };
  for (;;) {
    try {
      fs.writeFileSync(file, `${JSON.stringify(own)}\n`, { flag: 'wx' });
      return () => {
        fs.rmSync(file, { force: true });
        if (made !== undefined) removeEmptyFolders(folder, made);
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw explainFileError(error, file);
    }
    takeOver(file, own.host, work);
  }
}

function make(folder: string): string | undefined {
  try {
    return makeFolder(folder);
  } catch (error) {
    throw explainFileError(error, folder);
  }
}

/** Removes a stale lock. @throws UserError where it is held */
function takeOver(file: string, host: string, { what, flag }: Work): void {
  const holder = readHolder(file);
  if (holder !== undefined && (holder.host !== host || isAlive(holder))) {
    const elsewhere = holder.host === host ? '' : ` on ${holder.host}`;
    throw new UserError({
      problem: `${what} by process ${holder.pid}${elsewhere} since ${holder.since}`,
      where: file,
      hint:
        holder.host === host
          ? `Wait for it, or end it (kill -TERM saves first), or choose another folder with ${flag}.`
          : 'Whether it still runs cannot be seen from here. If it does not, remove the file.',
    });
  }
  // Another process may do the same at this moment: only one of them removes this very file.
  const aside = `${file}.${process.pid}`;
  try {
    fs.renameSync(file, aside);
    fs.rmSync(aside);
    log.warn(`The lock of process ${holder?.pid ?? 'unknown'}, which is gone, is taken over.`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw explainFileError(error, file);
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    const found = JSON.parse(fs.readFileSync(file, 'utf8'));
    return Number.isInteger(found?.pid) && typeof found.host === 'string' ? found : undefined;
  } catch {
    return undefined; // gone by now, or cut short by a crash while it was written
  }
}

function isAlive({ pid, began }: Holder): boolean {
  return isRunning(pid) && beginningOf(pid) === began;
}

/** Start time of a process in clock ticks since the boot (proc(5)), where the system tells it. */
function beginningOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return '';
  }
}
