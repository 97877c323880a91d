import * as path from 'node:path';
import { explainFileError, isFileError } from '../common/errors.js';
import { log } from '../common/log.js';
import { formatSeconds } from '../common/progress.js';
import { writeCheckpoint } from './checkpoint.js';
import {
  BEST_CHECKPOINT,
  checkpointName,
  LAST_CHECKPOINT,
  pointTo,
  removeOld,
} from './checkpoint-folders.js';
import type { CheckpointOrigin, TrainState } from './state.js';
import type { Updater } from './update.js';

/** Milliseconds after which a save that has failed is tried again. */
const RETRY_AFTER = 60_000;

export interface SaverOptions {
  /** Holds the checkpoints. */
  runDirectory: string;
  /** Stands in every checkpoint. */
  origin: CheckpointOrigin;
  /** Numbered checkpoints to keep beside those that the links name; Infinity for all. */
  keep: number;
  /** Milliseconds until a checkpoint that could not be written is tried again; default 60 000. */
  retryAfter?: number;
}

/** What a checkpoint is made of. */
export interface Savable {
  updater: Updater;
  state: Readonly<TrainState>;
  /** Learning rate of the next update. */
  lr: number;
}

/** Writes the checkpoints of a run, and never loses a good one to a bad one. */
export class Saver {
  /** Updates that were done at the latest checkpoint. */
  savedAt: number;
  /** Seconds that the longest save has taken. */
  longest = 0;
  private readonly options: SaverOptions;
  /** When to try again after a failure, and whether the best model is still to be named. */
  private unsaved: { at: number; best: boolean } | undefined;

  /** @param savedAt updates of the checkpoint that training goes on from */
  constructor(options: SaverOptions, savedAt: number) {
    this.options = options;
    this.savedAt = savedAt;
  }

  /** Whether a save that has failed should be tried again now. */
  get retryDue(): boolean {
    return this.unsaved !== undefined && performance.now() >= this.unsaved.at;
  }

  /**
   * Saves, and points the links at what was saved.
   *
   * @param best whether it is the best model so far
   * @throws what the file system says; the checkpoints before are untouched then
   */
  async save({ updater, state, lr }: Savable, best: boolean): Promise<void> {
    const started = performance.now();
    const { runDirectory, origin, keep } = this.options;
    const name = checkpointName(state.epoch, state.updates);
    const content = { origin, lr, state };
    await writeCheckpoint(path.join(runDirectory, name), updater.model, updater.moments, content);
    pointTo(runDirectory, LAST_CHECKPOINT, name);
    if (best || this.unsaved?.best) pointTo(runDirectory, BEST_CHECKPOINT, name);
    removeOld(runDirectory, keep);
    this.savedAt = state.updates;
    this.unsaved = undefined;
    this.longest = Math.max(this.longest, (performance.now() - started) / 1000);
  }

  /** Saves; where the disk refuses, a warning says so, and it is tried again later. */
  async trySave(savable: Savable, best: boolean): Promise<void> {
    try {
      await this.save(savable, best);
    } catch (error) {
      if (!isFileError(error)) throw error;
      const { retryAfter = RETRY_AFTER, runDirectory } = this.options;
      this.unsaved = { at: performance.now() + retryAfter, best: best || this.unsaved?.best === true };
      const message = (explainFileError(error, runDirectory) as Error).message;
      log.warn(
        `No checkpoint after ${savable.state.updates} updates: ${message}\n` +
          `  Training goes on, the checkpoint before it stays, and saving is tried again in ${formatSeconds(retryAfter / 1000)}.`,
      );
    }
  }
}
