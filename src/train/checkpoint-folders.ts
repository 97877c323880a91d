import * as fs from 'node:fs';
import * as path from 'node:path';
import { explainFileError } from '../common/errors.js';

/** The two symbolic links of a run directory. */
export const LAST_CHECKPOINT = 'checkpoint_last';
export const BEST_CHECKPOINT = 'checkpoint_best';

/** `checkpoint_<epoch>_<updates>` */
export function checkpointName(epoch: number, updates: number): string {
  return `checkpoint_${epoch}_${updates}`;
}

/** Whether the run directory has a checkpoint to go on from, in whatever state. */
export function hasCheckpoint(runDirectory: string): boolean {
  return fs.lstatSync(path.join(runDirectory, LAST_CHECKPOINT), { throwIfNoEntry: false }) !== undefined;
}

/** Points a link at a checkpoint beside it; a reader finds the old one or the new one. */
export function pointTo(runDirectory: string, link: string, checkpoint: string): void {
  const place = path.join(runDirectory, link);
  const temporary = path.join(runDirectory, `.${link}.${process.pid}.tmp`);
  try {
    fs.rmSync(temporary, { force: true });
    fs.symlinkSync(checkpoint, temporary, 'dir');
    fs.renameSync(temporary, place);
  } catch (error) {
    throw explainFileError(error, place);
  }
}

/**
 * Removes the oldest numbered checkpoints, but never one that a link points at.
 *
 * @param keep how many to leave, beside those; Infinity for all
 */
export function removeOld(runDirectory: string, keep: number): void {
  if (keep === Infinity) return;
  const pointedAt = new Set(
    [LAST_CHECKPOINT, BEST_CHECKPOINT].map((link) => {
      try {
        return path.basename(fs.readlinkSync(path.join(runDirectory, link)));
      } catch {
        return undefined; // not there yet
      }
    }),
  );
  const numbered = numberedCheckpoints(runDirectory);
  for (const name of numbered.slice(0, Math.max(0, numbered.length - keep))) {
    if (!pointedAt.has(name)) fs.rmSync(path.join(runDirectory, name), { recursive: true, force: true });
  }
}

/** Removes all checkpoints of a run. */
export function removeCheckpoints(runDirectory: string): void {
  const names = [LAST_CHECKPOINT, BEST_CHECKPOINT, ...numberedCheckpoints(runDirectory)];
  for (const name of names) fs.rmSync(path.join(runDirectory, name), { recursive: true, force: true });
}

/** Numbered checkpoints, oldest first. */
function numberedCheckpoints(runDirectory: string): string[] {
  const updates = (name: string): number => Number(/^checkpoint_\d+_(\d+)$/.exec(name)?.[1]);
  return fs
    .readdirSync(runDirectory)
    .filter((name) => !Number.isNaN(updates(name)))
    .sort((a, b) => updates(a) - updates(b));
}
