import { finishHearing } from '../common/pieces.js';
import type { Batch } from '../data/batch.js';
import type { BatchCuts } from '../data/batch-cuts.js';
import { makeBatch, readBatch } from '../data/batch-iterator.js';
import { lengthsOfEpoch } from '../data/corpus-mix.js';
import { type EpochPlan, planEpoch } from '../data/epoch-plan.js';
import type { SentencePair } from '../data/parallel-dataset.js';
import type { Share } from './gradient-tree.js';
import { cutPairs, cutSplit, firstEpoch } from './split.js';
import type { TrainerOptions } from './training.js';

/** Batches that are read before they are wanted, at the least; those of two updates, where they are more. */
const AHEAD = 8;

/** Bytes that a sentence was seen to take while it is read, beside its tokens: the request, its buffer and its promises. */
const SENTENCE_BYTES = 5000;

/** Batches that are read at a time, those of an update included. */
const inFlight = (updateFreq: number): number => updateFreq + Math.max(AHEAD, 2 * updateFreq);

/**
 * Most bytes of the batches that are read at a time.
 *
 * @param batch what batches hold on average
 * @param batches of an epoch
 * @param ahead whether those after an update are read meanwhile
 */
export function batchBytes(
  batch: { pairs: number; sourceTokens: number; targetTokens: number },
  updateFreq: number,
  batches: number,
  ahead: boolean,
): number {
  const { pairs, sourceTokens, targetTokens } = batch;
  const read = 2 * pairs * SENTENCE_BYTES + 4 * (sourceTokens + targetTokens);
  const packed = 4 * (sourceTokens + 2 * targetTokens); // the target is also an input
  const reading = ahead ? Math.min(inFlight(updateFreq), batches) : 0;
  return reading * read + Math.min(updateFreq, batches) * packed;
}

/** The training batches of one epoch after another: planned before its first update, read while those before are used. */
export class EpochBatches {
  private readonly options: TrainerOptions;
  /** Of the epoch that was asked for last: all have the same, unless each draws pairs of its own. */
  private cuts: BatchCuts;
  private cutEpoch = 1;
  private planned: { epoch: number; plan: EpochPlan } | undefined;
  /** What is being read, or was, by its position in the epoch. */
  private readonly ahead = new Map<number, Promise<SentencePair[]>>();

  private readonly share: Share;

  /**
   * @param share what of each update is wanted
   * @throws UserError where no pair is short enough
   */
  constructor(options: TrainerOptions, share: Share = { first: 0, end: options.config.updateFreq }) {
    this.options = options;
    this.share = share;
    this.cuts = cutSplit('train', lengthsOfEpoch(options.train, this.optionsOf(1)), this.optionsOf(1));
  }

  /** Turns to an epoch. */
  private turnTo(epoch: number): void {
    if (epoch === this.cutEpoch) return;
    this.cutEpoch = epoch;
    const drawn = lengthsOfEpoch(this.options.train, this.optionsOf(epoch));
    if (drawn !== this.cuts.lengths) this.cuts = cutPairs('train', drawn, this.optionsOf(epoch));
  }

  /** Batches of the epoch that was asked for last. */
  get length(): number {
    return this.cuts.length;
  }

  /** Updates of it. */
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
    await this.idle();
    this.turnTo(epoch);
    this.planned = undefined; // two plans at a time would be twice the memory
    const plan = await finishHearing(planEpoch(this.cuts, this.optionsOf(epoch)), isUnwanted);
    if (plan === undefined) return false;
    this.planned = { epoch, plan };
    return true;
  }

  /** Whether an epoch has none from this position on. */
  isDone(epoch: number, position: number): boolean {
    this.turnTo(epoch);
    return position >= this.length;
  }

  /**
   * The batches of the share of one update; those of the updates after it begin to be read.
   *
   * @param position of the first batch of the update in the epoch
   */
  async ofUpdate(position: number): Promise<Batch[]> {
    const { updateFreq } = this.options.config;
    const own = Math.max(1, this.share.end - this.share.first);
    const updates = Math.floor(inFlight(own) / own);
    for (let i = 0; i < updates; i++) this.readAhead(...this.ownPlaces(position + i * updateFreq));
    const batches: Batch[] = [];
    const [start, end] = this.ownPlaces(position);
    for (let at = start; at < end; at++) batches.push(await this.take(at));
    return batches;
  }

  /** All batches of one update, those of other shares too. */
  ofWholeUpdate(position: number): Batch[] {
    const end = this.after(position);
    return Array.from({ length: end - position }, (_, i) => this.read(this.plan.batch(position + i)));
  }

  /** The position after the update at a position. */
  after(position: number): number {
    return Math.min(position + this.options.config.updateFreq, this.length);
  }

  /** Where the share of the update at a position starts and ends in the epoch. */
  private ownPlaces(position: number): [start: number, end: number] {
    const { first, end } = this.share;
    return [Math.min(position + first, this.length), Math.min(position + end, this.length)];
  }

  /** Waits for what is being read, and forgets it. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.ahead.values());
    this.ahead.clear();
  }

  private readAhead(start: number, end: number): void {
    const { train } = this.options;
    if (train.pairs === undefined) return;
    for (let at = start; at < end; at++) {
      if (this.ahead.has(at)) continue;
      const reading = train.pairs(this.plan.batch(at));
      reading.catch(() => {}); // told where it is wanted
      this.ahead.set(at, reading);
    }
  }

  private async take(position: number): Promise<Batch> {
    const { resegment } = this.options;
    const indices = this.plan.batch(position);
    const read = await this.ahead.get(position);
    this.ahead.delete(position);
    if (read === undefined) return this.read(indices);
    return makeBatch(read, indices, { ...this.optionsOf(this.planned!.epoch), resegment });
  }

  /** Reads pairs as this epoch segments them. */
  read(indices: Int32Array): Batch {
    const { train, resegment } = this.options;
    return readBatch(train, indices, this.optionsOf(this.planned!.epoch), resegment);
  }

  private optionsOf(epoch: number) {
    const { config, seed, maxPositions } = this.options;
    const { maxTokens, batchBy } = config;
    return { ...firstEpoch({ maxTokens, batchBy, maxPositions, seed }), epoch };
  }
}
