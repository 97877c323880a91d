import type { Batch } from '../data/batch.js';
import { planBatches, readBatch } from '../data/batch-iterator.js';
import { firstEpoch, planSplit } from './split.js';
import type { TrainerOptions } from './training.js';

/** The training batches of one epoch after another: planned at its beginning, read when they are used. */
export class EpochBatches {
  /** Pairs of each batch of the epoch. */
  plan: readonly Int32Array[];
  private readonly options: TrainerOptions;
  private epoch: number;

  /**
   * @param epoch to begin with
   * @throws UserError where no pair is short enough
   */
  constructor(options: TrainerOptions, epoch: number) {
    this.options = options;
    this.epoch = epoch;
    this.plan = planSplit('train', options.train, this.batchOptions).batches;
  }

  /** Updates of the epoch. */
  get updates(): number {
    return Math.ceil(this.plan.length / this.options.config.updateFreq);
  }

  begin(epoch: number): void {
    this.epoch = epoch;
    this.plan = planBatches(this.options.train, this.batchOptions).batches;
  }

  /** Whether there is none from this position on. */
  isDone(position: number): boolean {
    return position >= this.plan.length;
  }

  /** The batches of one update. @param position of the first of them in the epoch */
  ofUpdate(position: number): Batch[] {
    const planned = this.plan.slice(position, position + this.options.config.updateFreq);
    return planned.map((indices) => this.read(indices));
  }

  /** Reads pairs as this epoch segments them. */
  read(indices: Int32Array): Batch {
    const { train, resegment } = this.options;
    return readBatch(train, indices, this.batchOptions, resegment);
  }

  private get batchOptions() {
    const { config, seed, maxPositions } = this.options;
    return { ...firstEpoch({ maxTokens: config.maxTokens, maxPositions, seed }), epoch: this.epoch };
  }
}
