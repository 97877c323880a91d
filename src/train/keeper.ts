import { atRoot } from '../common/at-root.js';
import { DeviceError } from '../common/errors.js';
import { compareRanks } from './compare-ranks.js';
import type { Ranks } from './ranks.js';
import type { Savable, Saver } from './saver.js';
import { SpareCopy, withWhatIsSaved } from './spare-copy.js';
import type { TrainState } from './state.js';
import type { TrainerOptions } from './training.js';

/** The checkpoints of a training, in each of its processes: the first one writes them, and all know what is written. */
export class Keeper {
  /** Where training stood at the latest checkpoint. */
  private saved: { updates: number; seconds: number };
  private readonly ranks: Ranks;
  private readonly saver: Saver;
  /** Where the device may be lost. */
  private readonly spare: SpareCopy | undefined;

  /** @param state where training starts */
  constructor(options: TrainerOptions, saver: Saver, state: Readonly<TrainState>, ranks: Ranks) {
    const { config } = options;
    this.ranks = ranks;
    this.saver = saver;
    if (options.isVolatile && ranks.isFirst && config.rescueInterval > 0)
      this.spare = new SpareCopy(this.saver, config.rescueInterval);
    this.saved = { updates: state.updates, seconds: state.seconds };
  }

  /** Updates and seconds of training at the latest checkpoint; of updates −1 where it could not be written. */
  get standing(): { updates: number; seconds: number } {
    return this.ranks.now.lost ? { ...this.saved, updates: -1 } : this.saved;
  }

  /** Updates of the latest checkpoint; −1 where it could not be written. */
  get savedAt(): number {
    return this.standing.updates;
  }

  /** Begins a checkpoint, of what must be the same in all processes. @throws Error where it is not */
  async save(savable: Savable): Promise<void> {
    const { model, moments, state } = savable;
    const held = [...model.weights.values(), ...moments.first, ...moments.second];
    compareRanks(this.ranks.communicator, held, `after ${state.updates} updates`);
    this.saved = { updates: state.updates, seconds: state.seconds };
    this.ranks.begunToSave();
    await this.saver.save(savable);
  }

  /** Waits until the latest checkpoint is written. @throws UserError where it is not, in all processes */
  async settle(): Promise<void> {
    await atRoot(this.ranks.communicator, async () => {
      await this.saver.settle();
      return null;
    });
    this.ranks.agree();
  }

  /** Waits until nothing is being written. */
  async idle(): Promise<void> {
    await this.saver.idle();
  }

  /** Training goes on from a checkpoint of before. */
  goBack({ updates, seconds }: Readonly<TrainState>): void {
    this.saver.savedAt = updates;
    this.saved = { updates, seconds };
    this.ranks.begunToSave();
  }

  /** Whether a copy for the case that the device is lost should be taken after so many updates. */
  isCopyDue(updates: number): boolean {
    return this.spare?.isDue(updates) ?? false;
  }

  async copy(savable: Savable): Promise<void> {
    await this.spare?.take(savable);
  }

  /** Saves what there is a copy of where the device is lost. @returns what to throw */
  async rescue(error: unknown, updates: number): Promise<unknown> {
    if (!(error instanceof DeviceError)) return error;
    const saved = (await this.spare?.write()) ?? this.saver.savedAt;
    return withWhatIsSaved(error, saved, updates);
  }
}
