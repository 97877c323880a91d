import { finishHearing } from '../common/pieces.js';
import type { Batch } from '../data/batch.js';
import type { BatchCuts } from '../data/batch-cuts.js';
import { readBatch } from '../data/batch-iterator.js';
import { type EpochPlan, planEpoch } from '../data/epoch-plan.js';
import { cutSplit, firstEpoch } from './split.js';
import type { TrainerOptions } from './training.js';

/** The training batches of one epoch after another: planned before its first update, read when they are used. */
export class EpochBatches {
  private readonly options: TrainerOptions;
  private readonly cuts: BatchCuts;
  private planned: { epoch: number; plan: EpochPlan } | undefined;

  /** @throws UserError where no pair is short enough */
  constructor(options: TrainerOptions) {
    this.options = options;
    this.cuts = cutSplit('train', options.train, this.optionsOf(1));
  }

  /** Batches of an epoch. */
  get length(): number {
    return this.cuts.length;
  }

  /** Updates of an epoch. */
  get updates(): number {
    return Math.ceil(this.length / this.options.config.updateFreq);
  }

  /** Pairs of each batch of the epoch that was planned. */
  get plan(): EpochPlan {
    return this.planned!.plan;
  }

  /**
   * Plans an epoch, unless that is done.
   *
   * @param isUnwanted asked now and then whether to give it up
   * @returns whether it is planned
   */
  async begin(epoch: number, isUnwanted: () => boolean = () => false): Promise<boolean> {
    if (this.planned?.epoch === epoch) return true;
    this.planned = undefined; // two plans at a time would be twice the memory
    const plan = await finishHearing(planEpoch(this.cuts, this.optionsOf(epoch)), isUnwanted);
    if (plan === undefined) return false;
    this.planned = { epoch, plan };
    return true;
  }

  /** Whether an epoch has none from this position on. */
  isDone(position: number): boolean {
    return position >= this.length;
  }

  /** The batches of one update. @param position of the first of them in the epoch */
  ofUpdate(position: number): Batch[] {
    const end = Math.min(position + this.options.config.updateFreq, this.length);
    return Array.from({ length: end - position }, (_, i) => this.read(this.plan.batch(position + i)));
  }

  /** Reads pairs as this epoch segments them. */
  read(indices: Int32Array): Batch {
    const { train, resegment } = this.options;
    return readBatch(train, indices, this.optionsOf(this.planned!.epoch), resegment);
  }

  private optionsOf(epoch: number) {
    const { config, seed, maxPositions } = this.options;
    return { ...firstEpoch({ maxTokens: config.maxTokens, maxPositions, seed }), epoch };
  }
}
