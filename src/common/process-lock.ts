import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { creating } from './folders.js';
import { temporaryName } from './leftovers.js';
import { beginningOf, isRunning } from './processes.js';

/*
 * A file that is there while a process has something for itself.
 *
 * It is written beside its place and linked there, whole, by one process only: link(2) refuses where there is one
 * already. The lock of a dead process is replaced, not removed, and only by who holds a claim on that very lock: a lock
 * like this one, whose name is made of the dead one's content. Whoever gets the claim looks again: if the dead lock is
 * still there, it stays there until the holder of the claim has renamed its own over it, since its owner is dead and
 * nobody else may. A claim of a process that has died in between is a dead lock itself, and taken over in the same way.
 */

/** What a lock says of the process that holds it. */
export interface Holder {
  pid: number;
  host: string;
  /** When the process began, by the clock of its system, so that a pid that is used again is told apart; '' if unknown. */
  began: string;
  since: string;
}

export interface Lock {
  /** Gives it back. What is not this very lock any more is left alone. */
  release(): void;
  /** Whose lock it was, where a process that is gone had left one. */
  takenFrom?: Holder | 'unknown';
}

/** A lock as it was found; the holder is undefined where it is no whole lock. */
interface Found {
  text: string;
  holder: Holder | undefined;
}

/** Takes a lock, in a folder that is there. @returns who has it, where another process does */
export function takeLock(file: string): Lock | { heldBy: Holder } {
  const holder: Holder = {
    pid: process.pid,
    host: hostname(),
    began: beginningOf(process.pid),
    since: new Date().toISOString(),
  };
  // No two locks are the same text, also of one process at one instant.
  const text = `${JSON.stringify({ ...holder, key: randomBytes(8).toString('hex') })}\n`;
  const { rival, takenFrom } = take(file, text);
  if (rival !== undefined) return { heldBy: rival };
  removeDeadClaims(file);
  return { takenFrom, release: () => remove(file, text) };
}

/** The holder of a lock, dead or alive; undefined where there is none, or no whole one. */
export function holderOf(file: string): Holder | undefined {
  const text = textOf(file);
  return text === undefined ? undefined : parse(text);
}

/** Whether the process of this machine that a lock speaks of is alive. */
export function isAlive({ pid, began }: Holder): boolean {
  return isRunning(pid) && beginningOf(pid) === began;
}

interface Taking {
  /** Who has it. */
  rival?: Holder;
  takenFrom?: Lock['takenFrom'];
}

function take(file: string, text: string): Taking {
  let takenFrom: Lock['takenFrom'];
  for (;;) {
    if (create(file, text)) return { takenFrom };
    const found = find(file);
    if (found === undefined) continue; // given back at this moment
    if (found.text === text) return { takenFrom }; // put there below, or by a link whose answer was lost
    const { holder } = found;
    if (holder !== undefined && (holder.host !== hostname() || isAlive(holder))) return { rival: holder };
    const rival = replace(file, found.text, text);
    if (rival !== undefined) return { rival };
    takenFrom = holder ?? 'unknown';
  }
}

/** Puts a lock in the place of a dead one, unless that has gone. @returns who is at it, where another process is */
function replace(file: string, dead: string, text: string): Holder | undefined {
  const claim = `${file}.${createHash('sha256').update(dead).digest('hex').slice(0, 8)}`;
  const { rival } = take(claim, text);
  if (rival !== undefined) return rival;
  try {
    if (textOf(file) === dead) writeBeside(file, text, (temporary) => fs.renameSync(temporary, file));
  } finally {
    remove(claim, text);
  }
  return undefined;
}

/** @returns false where there is one */
function create(file: string, text: string): boolean {
  return writeBeside(file, text, (temporary) => {
    try {
      fs.linkSync(temporary, file);
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EEXIST' ? false : createInPlace(file, text);
    }
  });
}

/**
 * Where the file system has no links: the lock is there a moment before it is whole, which `find` waits for; who looked
 * at the wrong moments may have replaced it.
 */
function createInPlace(file: string, text: string): boolean {
  let fd: number;
  try {
    fd = fs.openSync(file, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    fs.writeFileSync(fd, text); // not by its name, which another may have now
  } catch (error) {
    remove(file, '');
    throw error;
  } finally {
    fs.closeSync(fd);
  }
  return textOf(file) === text;
}

function writeBeside<T>(file: string, text: string, put: (temporary: string) => T): T {
  const temporary = temporaryName(file);
  try {
    creating(temporary, () => fs.writeFileSync(temporary, text, { flag: 'wx' }));
    return put(temporary);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/** Milliseconds after which a lock that is not whole was cut short by a crash; and between two looks at it. */
const [PATIENCE, WAIT] = [400, 20];

/** Reads a lock; one that is being written is waited for. @returns undefined where there is none */
function find(file: string): Found | undefined {
  for (let waited = 0; ; waited += WAIT) {
    const text = textOf(file);
    if (text === undefined) return undefined;
    const holder = parse(text);
    if (holder !== undefined || waited >= PATIENCE) return { text, holder };
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT);
  }
}

function textOf(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string): Holder | undefined {
  try {
    const found = JSON.parse(text);
    return Number.isInteger(found?.pid) && typeof found.host === 'string' ? found : undefined;
  } catch {
    return undefined; // cut short by a crash while it was written
  }
}

/** Removes a file of this content. */
function remove(file: string, text: string): void {
  if (textOf(file) === text) fs.rmSync(file, { force: true });
}

/** What is left where a process has died while it took over: nobody needs a claim on a lock that is gone. */
function removeDeadClaims(file: string): void {
  const folder = path.dirname(file);
  for (const name of fs.readdirSync(folder)) {
    if (!name.startsWith(`${path.basename(file)}.`) || !/(\.[0-9a-f]{8})+$/.test(name)) continue;
    const holder = holderOf(path.join(folder, name));
    if (holder?.host === hostname() && !isAlive(holder)) fs.rmSync(path.join(folder, name), { force: true });
  }
}
