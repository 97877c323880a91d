import * as path from 'node:path';
import { DamageError, UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import {
  BEST_CHECKPOINT,
  checkpointName,
  isThere,
  LAST_CHECKPOINT,
  numberedCheckpoints,
  pointTo,
  removeLink,
  setAside,
  targetOf,
  updatesOf,
} from './checkpoint-folders.js';
import type { TrainState } from './state.js';

interface Damaged {
  name: string;
  error: DamageError;
}

/** The checkpoints to go on from: the last one, then those before it, the newest first. */
export function resumable(runDirectory: string): string[] {
  const last = targetOf(runDirectory, LAST_CHECKPOINT) ?? LAST_CHECKPOINT;
  const reached = updatesOf(last) ?? Infinity;
  const before = numberedCheckpoints(runDirectory)
    .filter(({ updates }) => updates < reached)
    .map(({ name }) => name);
  return [last, ...before.reverse()];
}

/**
 * Reads the last checkpoint of a run or, where that is damaged, the newest intact one before it. Then it says what is
 * lost, sets the damaged ones aside and mends the links. A checkpoint that fits neither data nor config is refused.
 *
 * @param read reads a checkpoint; DamageError means that another one would do
 * @throws UserError where no checkpoint is whole
 */
export function readLastIntact<T extends { state: TrainState }>(
  runDirectory: string,
  read: (folder: string) => T,
): { restored: T; folder: string } {
  const damaged: Damaged[] = [];
  for (const name of resumable(runDirectory)) {
    const folder = path.join(runDirectory, name);
    try {
      const restored = read(folder);
      if (damaged.length > 0) goBack(runDirectory, name, restored.state, damaged);
      return { restored, folder };
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      damaged.push({ name, error });
    }
  }
  throw nothingIntact(damaged);
}

function goBack(runDirectory: string, taken: string, state: TrainState, damaged: readonly Damaged[]): void {
  for (const { name, error } of damaged) {
    const details = error.complaints.map(({ problem, where = '' }) => {
      const file = path.relative(path.join(runDirectory, name), where);
      return file === '' ? problem : `${file}: ${problem}`;
    });
    log.warn(`${path.join(runDirectory, name)} is damaged: ${details.join('; ')}`);
  }
  const reached = updatesOf(damaged[0].name);
  const lost = reached === undefined ? 'all updates after that' : `${reached - state.updates} updates`;
  log.warn(
    `Going back to ${path.join(runDirectory, taken)}, after ${state.updates} updates: ${lost} are lost and made again.`,
  );
  pointTo(runDirectory, LAST_CHECKPOINT, taken);
  tellBest(runDirectory, state, damaged);
  for (const { name } of damaged) {
    const place = setAside(runDirectory, name);
    if (place !== undefined) log.warn(`The damaged ${name} is kept as ${place}.`);
  }
}

function tellBest(runDirectory: string, state: TrainState, damaged: readonly Damaged[]): void {
  const mended = mendBest(runDirectory, state, (name) => damaged.some((entry) => entry.name === name));
  if (mended === undefined) return;
  const { before, now } = mended;
  const then = now === undefined ? ': there is none until the next best validation' : `, now it is ${now}`;
  log.warn(`${BEST_CHECKPOINT} was ${before}${then}.`);
}

/**
 * Where the best checkpoint is one that goes, the best one that the state knows of takes its place, if it is there; else
 * there is none.
 *
 * @param goes whether a checkpoint is one of those
 * @returns what was the best one, and what is now; undefined where it stays
 */
export function mendBest(
  runDirectory: string,
  { bests: [best] }: Pick<TrainState, 'bests'>,
  goes: (name: string) => boolean,
): { before: string; now?: string } | undefined {
  const before = targetOf(runDirectory, BEST_CHECKPOINT);
  if (before === undefined || !goes(before)) return undefined;
  const now = best === undefined ? undefined : checkpointName(best.epoch, best.updates);
  if (now !== undefined && isThere(runDirectory, now) && !goes(now)) {
    pointTo(runDirectory, BEST_CHECKPOINT, now);
    return { before, now };
  }
  removeLink(runDirectory, BEST_CHECKPOINT);
  return { before };
}

function nothingIntact(damaged: readonly Damaged[]): UserError {
  const complaints = damaged.flatMap(({ error }) => error.complaints);
  const others =
    damaged.length === 1 ? 'there is no other checkpoint before it' : 'no checkpoint before it is whole';
  const hint = `Training cannot go on: ${others}. Bring the folder back from a copy, or start anew with --restart.`;
  return new UserError(
    complaints.map(({ problem, where }, i) =>
      i < complaints.length - 1 ? { problem, where } : { problem, where, hint },
    ),
  );
}
