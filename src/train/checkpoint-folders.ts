import * as fs from 'node:fs';
import * as path from 'node:path';
import { explainFileError, UserError } from '../common/errors.js';
import { syncFolder } from '../common/folders.js';
import { parseTemporaryName, putBack, temporaryName } from '../common/leftovers.js';

/** The two symbolic links of a run directory. */
export const LAST_CHECKPOINT = 'checkpoint_last';
export const BEST_CHECKPOINT = 'checkpoint_best';

/** Files of a checkpoint. */
export const MODEL_FILE = 'model.safetensors';
export const STATE_FILE = 'state.json';
/** Beside the weights of a model that another program has trained: where they are from. */
export const IMPORT_FILE = 'import.json';
/** The moving average of the weights, where training keeps one. */
export const EMA_FILE = 'ema.safetensors';

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

/** Updates of a checkpoint by its name; undefined for other names. */
export function updatesOf(name: string): number | undefined {
  return parseName(name)?.updates;
}

/** Whether the run directory has a checkpoint to go on from, in whatever state. */
export function hasCheckpoint(runDirectory: string): boolean {
  return isThere(runDirectory, LAST_CHECKPOINT) || numberedCheckpoints(runDirectory).length > 0;
}

/** Whether a run directory has this name, be it a link to nowhere. */
export function isThere(runDirectory: string, name: string): boolean {
  return fs.lstatSync(path.join(runDirectory, name), { throwIfNoEntry: false }) !== undefined;
}

/** The name of the checkpoint that a link points at; undefined where there is no such link. */
export function targetOf(runDirectory: string, link: string): string | undefined {
  try {
    return path.basename(fs.readlinkSync(path.join(runDirectory, link)));
  } catch {
    return undefined;
  }
}

/**
 * Ends what a loss of power has interrupted: a checkpoint that was moved aside to be replaced comes back, and what was
 * half-written or half-removed goes.
 */
export function recoverCheckpoints(runDirectory: string): void {
  if (!fs.existsSync(runDirectory)) return;
  try {
    for (const name of fs.readdirSync(runDirectory)) {
      const { target } = parseTemporaryName(name) ?? {};
      if (target === undefined || updatesOf(target) === undefined) continue;
      putBack(path.join(runDirectory, target), true);
      fs.rmSync(path.join(runDirectory, name), { recursive: true, force: true });
    }
  } catch (error) {
    throw explainFileError(error, runDirectory);
  }
}

/** Points a link at a checkpoint beside it; a reader finds the old one or the new one. */
export function pointTo(runDirectory: string, link: string, checkpoint: string): void {
  const place = path.join(runDirectory, link);
  const temporary = temporaryName(place);
  try {
    // A copy made without links has a folder here, which a link cannot replace.
    if (fs.lstatSync(place, { throwIfNoEntry: false })?.isDirectory()) setAside(runDirectory, link);
    fs.symlinkSync(checkpoint, temporary, 'dir');
    fs.renameSync(temporary, place);
    syncFolder(runDirectory);
  } catch (error) {
    throw explainFileError(error, place);
  }
}

/**
 * Removes the oldest numbered checkpoints, but never one that a link points at.
 *
 * @param keep how many to leave, beside those; Infinity for all
 * @param spared others to leave in any case
 */
export function removeOld(runDirectory: string, keep: number, spared: readonly string[] = []): void {
  if (keep === Infinity) return;
  const pointedAt = [LAST_CHECKPOINT, BEST_CHECKPOINT].map((link) => targetOf(runDirectory, link));
  const wanted = new Set([...pointedAt, ...spared]);
  const numbered = numberedCheckpoints(runDirectory).map(({ name }) => name);
  for (const name of numbered.slice(0, Math.max(0, numbered.length - keep))) {
    if (!wanted.has(name)) remove(runDirectory, name);
  }
}

/** Removes the checkpoints of more updates than these. */
export function removeLater(runDirectory: string, updates: number): void {
  for (const checkpoint of numberedCheckpoints(runDirectory)) {
    if (checkpoint.updates > updates) remove(runDirectory, checkpoint.name);
  }
}

/** Removes all checkpoints of a run; the links go last, so that what is left of them is not taken for a new run. */
export function removeCheckpoints(runDirectory: string): void {
  if (!fs.existsSync(runDirectory)) return;
  const aside = fs.readdirSync(runDirectory).filter((name) => name.startsWith(`${ASIDE}checkpoint_`));
  const numbered = numberedCheckpoints(runDirectory).map(({ name }) => name);
  for (const name of [...aside, ...numbered]) remove(runDirectory, name);
  for (const link of [BEST_CHECKPOINT, LAST_CHECKPOINT]) {
    fs.rmSync(path.join(runDirectory, link), { recursive: true, force: true });
  }
}

export function removeLink(runDirectory: string, link: string): void {
  fs.rmSync(path.join(runDirectory, link), { force: true });
  syncFolder(runDirectory);
}

/** What the names of checkpoints that were found damaged begin with. */
const ASIDE = 'damaged_';

/** Renames a checkpoint so that it is none any more. @returns its new name; undefined where there is no such folder */
export function setAside(runDirectory: string, name: string): string | undefined {
  const place = path.join(runDirectory, name);
  if (!fs.lstatSync(place, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const target = `${ASIDE}${name}`;
  fs.rmSync(path.join(runDirectory, target), { recursive: true, force: true });
  fs.renameSync(place, path.join(runDirectory, target));
  syncFolder(runDirectory);
  return target;
}

/** Removes a folder at once: where that is interrupted, no half of a checkpoint is left under its name. */
function remove(runDirectory: string, name: string): void {
  const place = path.join(runDirectory, name);
  const doomed = temporaryName(place);
  fs.renameSync(place, doomed);
  fs.rmSync(doomed, { recursive: true, force: true });
}

/** Whether a name is one that training gives its checkpoints and links, and removes. */
export function isReservedName(name: string): boolean {
  return name === LAST_CHECKPOINT || name === BEST_CHECKPOINT || parseName(name) !== undefined;
}

/** Numbered checkpoints of a run, oldest first. */
export function numberedCheckpoints(runDirectory: string): NumberedCheckpoint[] {
  if (!fs.existsSync(runDirectory)) return [];
  return fs
    .readdirSync(runDirectory)
    .flatMap((name) => parseName(name) ?? [])
    .sort((a, b) => a.updates - b.updates);
}

function parseName(name: string): NumberedCheckpoint | undefined {
  const [, epoch, updates] = /^checkpoint_(\d+)_(\d+)$/.exec(name) ?? [];
  return updates === undefined ? undefined : { name, epoch: Number(epoch), updates: Number(updates) };
}

/** @throws UserError where a checkpoint is of `export --precision` */
export function refuseReduced(folder: string): void {
  if (!fs.existsSync(path.join(folder, 'export.json'))) return;
  throw new UserError({
    problem: 'expected weights that were trained, found a model for translating alone (export --precision)',
    where: folder,
    hint: 'Give the run that it was exported from.',
  });
}
