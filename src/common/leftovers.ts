import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { syncFolder } from './folders.js';
import { beginningOf, isRunning } from './processes.js';

/*
 * What is on its way to its place is called `.NAME.PID.HEX.tmp` beside it, and a folder that makes room for another
 * `.NAME.PID.HEX.tmp.old`. HEX marks the machine, when the process began there, and chance, eight digits each; names of
 * earlier versions have only the last.
 */

/** A name longer than this would leave no room for the rest. */
const LONGEST_NAME = 200;

const mark = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);
/** NAME, or what stands for one that is too long. */
const labelOf = (name: string): string => (Buffer.byteLength(name) > LONGEST_NAME ? mark(name) : name);
const ownMark = (): string => mark(hostname()) + mark(beginningOf(process.pid));

/** A name beside `target` on the same file system, for writing before renaming. */
export function temporaryName(target: string): string {
  const hex = ownMark() + randomBytes(4).toString('hex');
  return path.join(path.dirname(target), `.${labelOf(path.basename(target))}.${process.pid}.${hex}.tmp`);
}

/** A name that was made here, taken apart. */
export interface TemporaryName {
  /** The name of what was to be written. */
  target: string;
  processId: number;
  /** The marks of the machine and of the beginning of the process; '' in names of earlier versions. */
  marks: string;
  /** Whether it is a folder that was moved aside. */
  old: boolean;
}

/** Takes the name of a temporary file apart; undefined where it is none. */
export function parseTemporaryName(name: string): TemporaryName | undefined {
  const [, target, id, marks = '', old] =
    /^\.(.+)\.(\d+)\.([0-9a-f]{16})?[0-9a-f]{8}\.tmp(\.old)?$/.exec(name) ?? [];
  if (target === undefined) return undefined;
  return { target, processId: Number(id), marks, old: old !== undefined };
}

/**
 * Puts back a folder that was moved aside and, for a loss of power or a kill, was not replaced.
 *
 * @param alone whether nobody else can be at work on it, so that a process of that number is another one
 */
export function putBack(target: string, alone = false): void {
  const folder = path.dirname(target);
  if (fs.existsSync(target) || !fs.existsSync(folder)) return;
  const aside = fs.readdirSync(folder).find((name) => {
    const parsed = parseTemporaryName(name);
    if (parsed?.old !== true || parsed.target !== labelOf(path.basename(target))) return false;
    return alone || isDead(parsed) !== false;
  });
  if (aside === undefined) return;
  fs.renameSync(path.join(folder, aside), target);
  syncFolder(folder);
}

/** Whether the process of a name is no more; undefined where that cannot be seen from here. */
function isDead({ processId, marks }: TemporaryName): boolean | undefined {
  const here = marks.startsWith(mark(hostname()));
  if (isRunning(processId) && (!here || marks.endsWith(mark(beginningOf(processId))))) return false;
  return here ? true : undefined;
}

/** Milliseconds after which nobody writes on at what does not change. */
const WEEK = 7 * 24 * 3600 * 1000;

/**
 * Removes what processes that are no more have left unfinished in a folder. A process of this machine is told by its
 * number and its beginning; of another machine, which may share the folder, or of an earlier version, a week without a
 * change tells. What cannot be removed, or belongs to another user, stays.
 *
 * @param alone whether nobody else can be at work in this folder: what is not of a process here goes at once
 */
export function removeLeftovers(folder: string, alone = false): void {
  for (const name of attempt(() => fs.readdirSync(folder)) ?? []) {
    const parsed = parseTemporaryName(name);
    if (parsed === undefined) continue;
    const dead = isDead(parsed);
    const place = path.join(folder, name);
    attempt(() => {
      if (dead === false || fs.lstatSync(place).uid !== (process.getuid?.() ?? 0)) return;
      if (dead === undefined && !alone && Date.now() - latestChange(place) < WEEK) return;
      if (parsed.old) putBack(path.join(folder, parsed.target));
      fs.rmSync(place, { recursive: true, force: true });
    });
  }
}

const cleared = new Set<string>();

/** As removeLeftovers, once in the life of this process: whoever writes somewhere clears up there. */
export function clearLeftovers(folder: string): void {
  const place = path.resolve(folder);
  if (cleared.has(place)) return;
  cleared.add(place);
  removeLeftovers(place);
}

/** Of a file, or of a folder and all in it. */
function latestChange(place: string): number {
  const found = fs.lstatSync(place);
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(
    found.mtimeMs,
    ...fs.readdirSync(place).map((name) => latestChange(path.join(place, name))),
  );
}

/** Clearing up is no reason to fail. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
