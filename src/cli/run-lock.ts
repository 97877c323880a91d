import * as fs from 'node:fs';
import { hostname } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { explainFileError, UserError } from '../common/errors.js';
import { isRunning } from '../common/files.js';
import { log } from '../common/log.js';

/** What a lock says of the process that holds it. */
interface Holder {
  pid: number;
  host: string;
  /** When the process began, by the clock of its system, so that a pid that is used again is told apart; '' if unknown. */
  began: string;
  since: string;
}

/**
 * Takes a run directory for this process: two trainings would overwrite each other's checkpoints. The lock of a process
 * that is gone is taken over.
 *
 * @returns gives it back
 * @throws UserError that names the holder
 */
export function lockRun(runDirectory: string): () => void {
  const file = path.join(runDirectory, 'train.lock');
  const own: Holder = {
    pid: process.pid,
    host: hostname(),
    began: beginningOf(process.pid),
    since: new Date().toISOString(),
  };
  for (;;) {
    try {
      fs.writeFileSync(file, `${JSON.stringify(own)}\n`, { flag: 'wx' });
      return () => fs.rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw explainFileError(error, file);
    }
    takeOver(file, own.host);
  }
}

/** Removes a stale lock. @throws UserError where it is held */
function takeOver(file: string, host: string): void {
  const holder = readHolder(file);
  if (holder !== undefined && (holder.host !== host || isAlive(holder))) {
    const elsewhere = holder.host === host ? '' : ` on ${holder.host}`;
    throw new UserError({
      problem: `this run is being trained by process ${holder.pid}${elsewhere} since ${holder.since}`,
      where: file,
      hint:
        holder.host === host
          ? 'Wait for it, or end it (kill -TERM saves first), or choose another folder with --save-dir.'
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
