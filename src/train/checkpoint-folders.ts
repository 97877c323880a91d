import * as fs from 'node:fs';
import * as path from 'node:path';
import { explainFileError } from '../common/errors.js';

/** The two symbolic links of a run directory. */
export const LAST_CHECKPOINT = 'checkpoint_last';
export const BEST_CHECKPOINT = 'checkpoint_best';

/** Files of a checkpoint. */
export const MODEL_FILE = 'model.safetensors';
export const STATE_FILE = 'state.json';

/** A checkpoint that training saved under its number. */
export interface NumberedCheckpoint {
  name: string;
  epoch: number;
  updates: number;
}

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
  const numbered = numberedCheckpoints(runDirectory).map(({ name }) => name);
  for (const name of numbered.slice(0, Math.max(0, numbered.length - keep))) {
    if (!pointedAt.has(name)) fs.rmSync(path.join(runDirectory, name), { recursive: true, force: true });
  }
}

/** Removes all checkpoints of a run. */
export function removeCheckpoints(runDirectory: string): void {
  const numbered = numberedCheckpoints(runDirectory).map(({ name }) => name);
  for (const name of [LAST_CHECKPOINT, BEST_CHECKPOINT, ...numbered])
    fs.rmSync(path.join(runDirectory, name), { recursive: true, force: true });
}

/** Whether a name is one that training gives its checkpoints and links, and removes. */
export function isReservedName(name: string): boolean {
  return name === LAST_CHECKPOINT || name === BEST_CHECKPOINT || parseName(name) !== undefined;
}

/** Numbered checkpoints of a run, oldest first. */
export function numberedCheckpoints(runDirectory: string): NumberedCheckpoint[] {
  return fs
    .readdirSync(runDirectory)
    .flatMap((name) => parseName(name) ?? [])
    .sort((a, b) => a.updates - b.updates);
}

function parseName(name: string): NumberedCheckpoint | undefined {
  const [, epoch, updates] = /^checkpoint_(\d+)_(\d+)$/.exec(name) ?? [];
  return updates === undefined ? undefined : { name, epoch: Number(epoch), updates: Number(updates) };
}
