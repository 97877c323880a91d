import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import * as path from 'node:path';
import process from 'node:process';
import { threadId } from 'node:worker_threads';
import { Purpose, RandomStream } from '../src/common/rng.js';

/*
 * Loaded before the program (`node --import`), in each of its threads: a disk that fails now and then. The environment says
 * how: FAULTS is the JSON of a FaultPlan. What it does is written to the log of the plan, a line for each fault.
 */

export const FAULT_KINDS = ['full', 'device', 'short', 'sync', 'rename', 'lost'] as const;

/**
 * full: ENOSPC, for some calls in a row, after half of what was to be written. device: EIO. short: a write of fewer bytes
 * than asked for, which is no error. sync: fsync fails. rename: so does rename. lost: a write is answered and not done.
 */
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultPlan {
  kind: FaultKind;
  seed: number;
  /** Of each call that could fail. */
  probability: number;
  /** The folder whose disk it is. */
  folder: string;
  log: string;
}

/** Calls that fail one after another where the disk is full. */
const FULL_FOR = 12;

type Call = (...args: unknown[]) => unknown;

const plan: FaultPlan | undefined =
  process.env.FAULTS === undefined ? undefined : JSON.parse(process.env.FAULTS);
if (plan !== undefined) install(plan);

function install({ kind, seed, probability, folder, log }: FaultPlan): void {
  const { appendFileSync, openSync, closeSync, writeSync } = fs;
  const random = new RandomStream({ seed, step: threadId, purpose: Purpose.test });
  const opened = new Map<number, string>();
  let failing = 0;
  const isOurs = (target: unknown): target is string =>
    typeof target === 'string' && path.resolve(target).startsWith(`${folder}${path.sep}`);
  const placeOf = (target: unknown): string | undefined =>
    typeof target === 'number' ? opened.get(target) : isOurs(target) ? target : undefined;
  const strikes = (): boolean => {
    if (failing > 0) failing--;
    else if (random.nextUniform() >= probability) return false;
    else if (kind === 'full') failing = FULL_FOR;
    return true;
  };
  const note = (call: string, place: string): void =>
    appendFileSync(log, `${kind} ${call} ${path.relative(folder, place)}\n`);
  const failure = (call: string, place: string): Error => {
    const code = kind === 'full' ? 'ENOSPC' : 'EIO';
    return Object.assign(new Error(`${code}: injected, ${call} '${place}'`), {
      code,
      syscall: call,
      path: place,
    });
  };
  /** @param instead what happens in place of an error. @returns what the call answers */
  const patch = (
    name: keyof typeof fs,
    kinds: readonly FaultKind[],
    at: number,
    instead?: (args: unknown[]) => unknown,
  ) => {
    if (!kinds.includes(kind)) return;
    const original = fs[name] as Call;
    const patched: Call = (...args) => {
      const place = placeOf(args[at]);
      if (place === undefined || !strikes()) return original(...args);
      note(name, place);
      if (instead !== undefined) return instead(args);
      throw failure(name.replace('Sync', ''), place);
    };
    (fs as unknown as Record<string, Call>)[name] = patched;
  };

  fs.openSync = ((file: fs.PathLike, ...rest: [flags: fs.OpenMode]) => {
    const fd = openSync(file, ...rest);
    if (isOurs(file)) opened.set(fd, file);
    return fd;
  }) as typeof openSync;
  fs.closeSync = (fd: number): void => {
    opened.delete(fd);
    closeSync(fd);
  };
  const half = ([fd, bytes, offset = 0]: unknown[]): number => {
    const view = bytes as Uint8Array;
    return writeSync(fd as number, view, offset as number, Math.ceil((view.length - (offset as number)) / 2));
  };
  const lost = ([, bytes, offset = 0]: unknown[]): number =>
    (bytes as Uint8Array).length - (offset as number);
  if (kind === 'short') patch('writeSync', ['short'], 0, half);
  else if (kind === 'lost') {
    patch('writeSync', ['lost'], 0, lost);
    patch('writeFileSync', ['lost'], 0, () => undefined);
  } else {
    patch('writeSync', ['full', 'device'], 0, (args) => {
      half(args);
      throw failure('write', opened.get(args[0] as number)!);
    });
    for (const name of ['writeFileSync', 'appendFileSync', 'mkdirSync'] as const)
      patch(name, ['full', 'device'], 0);
    patch('symlinkSync', ['full', 'device'], 1);
    patch('fsyncSync', ['sync', 'device'], 0);
    patch('renameSync', ['rename', 'device'], 1);
  }
  syncBuiltinESMExports();
}
