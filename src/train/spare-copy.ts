import { DeviceError } from '../common/errors.js';
import type { Copy, Savable, Saver } from './saver.js';

/** Share of the time that copies may take. */
const SHARE = 0.02;

/**
 * A checkpoint that is kept in the memory of the process and not written: where a training is lost with the device that
 * holds it, it is written then.
 */
export class SpareCopy {
  private readonly saver: Saver;
  /** Milliseconds between two copies, at least. */
  private readonly interval: number;
  private due: number;
  private copy: Copy | null = null;

  /** @param seconds between two copies, at least; copies of large models are farther apart */
  constructor(saver: Saver, seconds: number) {
    this.saver = saver;
    this.interval = 1000 * seconds;
    this.due = performance.now() + this.interval;
  }

  /** Whether a copy should be taken after so many updates, which is not where they are being saved anyway. */
  isDue(updates: number): boolean {
    return performance.now() >= this.due && this.saver.savedAt !== updates;
  }

  /** Takes the place of the copy before. */
  async take(savable: Savable): Promise<void> {
    const started = performance.now();
    this.copy = null; // there need not be memory for two
    this.copy = await this.saver.copy(savable);
    const now = performance.now();
    this.due = now + Math.max(this.interval, (now - started) / SHARE);
  }

  /**
   * Writes the copy, where no checkpoint is newer.
   *
   * @returns the updates that are saved now
   * @throws UserError where it cannot be written
   */
  async write(): Promise<number> {
    await this.saver.idle();
    if (this.copy !== null && this.copy.job.updates > this.saver.savedAt) {
      await this.saver.write(this.copy);
      await this.saver.settle();
    }
    return this.saver.savedAt;
  }
}

/** The error of a device that ended a training, which says what is left of it. */
export function withWhatIsSaved(error: DeviceError, saved: number, updates: number): DeviceError {
  const [{ problem, where, hint = '' }] = error.complaints;
  const kept = saved > 0 ? `The first ${saved} of ${updates} updates are saved` : 'No update is saved';
  return new DeviceError({ problem, where, hint: `${kept}. ${hint}` }, { cause: error });
}
