import { setImmediate } from 'node:timers/promises';
import { alone } from '../common/communicator.js';
import { DivergenceError } from '../common/errors.js';
import { log } from '../common/log.js';
import type { Transformer } from '../model/transformer.js';
import { Doctor } from './doctor/doctor.js';
import { goBack, markGood } from './doctor/rollback.js';
import { EpochBatches } from './epoch-batches.js';
import { averageAtEnd } from './final-average.js';
import { Here } from './here.js';
import { Keeper } from './keeper.js';
import { lossScaleOf, nextLossScale } from './loss-scale.js';
import { diverged } from './meter.js';
import { milestone, savesOnTheWay, validates } from './milestones.js';
import { MovingAverage } from './moving-average.js';
import { Ranks } from './ranks.js';
import { TrainingRecord } from './record.js';
import { type Savable, Saver } from './saver.js';
import { createSchedule, type Schedule } from './schedules.js';
import type { TrainState } from './state.js';
import { expectedEnd, interruption, stopReason } from './stopping.js';
import type { TrainerOptions, TrainingEnd, TrainingStart } from './training.js';
import { Updater } from './update.js';
import { Validator } from './validator.js';

/** One training run from where its state stands to its end: the loop, which says what happens when. */
export class Trainer {
  private readonly options: TrainerOptions;
  private readonly state: TrainState;
  private readonly ranks: Ranks;
  private readonly batches: EpochBatches;
  private readonly validator: Validator;
  private readonly schedule: Schedule;
  private readonly keeper: Keeper;
  private readonly updater: Updater;
  private readonly doctor: Doctor;
  /** With `ema-decay`. */
  private readonly ema: MovingAverage | undefined;
  private readonly record: TrainingRecord;
  private readonly here: Here;

  /**
   * @param start where training starts
   */
  constructor(options: TrainerOptions, start: TrainingStart) {
    const { model, state, moments, ema } = start;
    const { config, guidance = null, seed } = options;
    this.options = options;
    model.precision = config.precision;
    model.recompute = config.recompute;
    model.guidance = guidance;
    this.state = { ...state, lossScale: lossScaleOf(config, state.lossScale) };
    const communicator = options.communicator ?? alone;
    const keep = savesOnTheWay(config) ? config.keepLast || Infinity : 0;
    const saver = new Saver({ ...options, keep, follows: communicator.rank > 0 }, state.updates);
    this.here = new Here(options, saver, state.seconds);
    const sizes = model.trainable.map(({ size }) => size);
    this.ranks = new Ranks(communicator, config.updateFreq, sizes, this.here);
    this.keeper = new Keeper(options, saver, state, this.ranks);
    this.batches = new EpochBatches(options, this.ranks.share);
    this.validator = new Validator(options, this.ranks);
    const schedule = createSchedule(config);
    this.schedule = (updates) => schedule(updates) * this.state.doctor.lrFactor;
    const how = { ...config, seed, optimizerAhead: state.optimizerAhead, share: this.ranks.share };
    const { allReduce = (own) => this.ranks.sum(own) } = options;
    this.updater = new Updater(model, how, moments, allReduce, this.ranks.take);
    this.doctor = new Doctor(options, model);
    if (config.emaDecay !== null) this.ema = new MovingAverage(model, config.emaDecay, ema);
    const ends = expectedEnd(config, this.batches.updates, state.seconds);
    this.record = new TrainingRecord(options, start, this.schedule, this.ranks, ends);
  }

  /**
   * Trains to the end.
   *
   * @throws InterruptedError after a signal, once the update is finished and saved; DivergenceError when training
   *   diverges; UserError when a checkpoint cannot be written
   */
  async run(): Promise<TrainingEnd> {
    try {
      if (this.options.unsaved) {
        await this.save();
        await this.keeper.settle();
      }
      for (;;) {
        await this.atMilestone();
        const reason = this.stopReason();
        if (reason !== undefined) return await this.finish(reason);
        const { signal, save } = this.ranks.now;
        if (signal !== undefined) await this.interrupt(signal);
        if (save && this.keeper.savedAt !== this.state.updates) await this.save();
        this.here.answered();
        if (this.keeper.isCopyDue(this.state.updates)) await this.copy();
        const isDone = this.epochDone;
        const epoch = this.state.epoch + (isDone ? 1 : 0);
        const isUnwanted = () => !this.ranks.areSeveral && this.here.signal !== undefined;
        if (!(await this.batches.begin(epoch, isUnwanted))) continue;
        if (isDone) Object.assign(this.state, { epoch, position: 0 });
        await this.update();
        await setImmediate(); // lets signals be heard
      }
    } catch (error) {
      throw await this.keeper.rescue(error, this.state.updates);
    } finally {
      this.record.stop();
      await this.batches.idle();
      await this.keeper.idle();
    }
  }

  dispose(): void {
    this.updater.dispose();
    this.ema?.dispose();
  }

  private stopReason(): string | undefined {
    return stopReason(this.options.config, this.state, this.epochDone, this.schedule);
  }

  private get epochDone(): boolean {
    return this.batches.isDone(this.state.epoch, this.state.position);
  }

  private async update(): Promise<void> {
    const { config } = this.options;
    const { state } = this;
    const started = performance.now();
    const { position } = state;
    const batches = await this.batches.ofUpdate(position);
    const lossScale = state.lossScale?.scale;
    const figures = this.updater.apply(batches, state.updates, this.schedule(state.updates), lossScale);
    state.position = this.batches.after(position);
    state.updates++;
    this.ema?.update(state.updates);
    const seconds = (performance.now() - started) / 1000;
    this.record.add(figures, seconds);
    this.here.note(seconds);
    if (config.doctor && (await this.examine(position, lossScale))) return;
    await this.rescale();
    this.tick();
    if (state.updates % config.logInterval === 0) await this.record.writeFigures(state);
    await this.record.show(state);
  }

  /**
   * Lets the doctor look at the update that was just done. Where it gives up, training goes back or ends.
   *
   * @returns whether it has gone back
   */
  private async examine(position: number, lossScale?: number): Promise<boolean> {
    const { state, batches } = this;
    const found = await this.doctor.examine(state.doctor, {
      ...{ update: state.updates, lr: this.schedule(state.updates - 1), figures: await this.record.last() },
      lossScale,
      ...{ plan: batches.plan, read: (indices) => batches.read(indices) },
      get batches() {
        return batches.ofWholeUpdate(position); // of all processes; read where something is wrong
      },
    });
    state.doctor = found.state;
    this.record.writeFindings(state, found);
    if (found.givenUp === null) return false;
    await this.keeper.idle();
    const restored = goBack(state, { updater: this.updater, ema: this.ema?.model, ...this.options });
    if (restored === null) {
      this.tick();
      await this.record.writeFigures(state); // the metrics end where training does
      throw this.ranks.isFirst
        ? this.doctor.giveUp(found.givenUp)
        : new DivergenceError(found.givenUp.summary);
    }
    this.goOnFrom(restored);
    return true;
  }

  /** Adapts the scale of the loss to the update that was just done: what the next one does depends on it. */
  private async rescale(): Promise<void> {
    const { state } = this;
    if (state.lossScale === undefined) return;
    const { finite } = await this.record.last();
    try {
      state.lossScale = nextLossScale(state.lossScale, finite, this.options.config);
    } catch (error) {
      this.tick();
      await this.record.writeFigures(state); // the metrics end where training does
      throw error;
    }
  }

  /** Goes on from another state, whose weights and moments are there already. */
  private goOnFrom(state: TrainState): void {
    Object.assign(this.state, state, { lossScale: lossScaleOf(this.options.config, state.lossScale) });
    this.tick();
    this.record.goBack(state);
    this.keeper.goBack(state);
  }

  /** Validates and saves where the intervals say so, and has not done so at this update. */
  private async atMilestone(): Promise<void> {
    const { state, epochDone, keeper } = this;
    const { config } = this.options;
    const due = milestone(config, { state, epochDone, saved: keeper.standing });
    const best = due.validate && (await this.validate());
    const { good } = state.doctor;
    if ((best || due.save) && !due.byClock) state.doctor = markGood(state, config);
    if (best || due.save || this.ranks.now.retry) await this.save();
    if (keeper.savedAt !== state.updates) state.doctor = { ...state.doctor, good }; // it was not worth saving
  }

  private async finish(reason: string): Promise<TrainingEnd> {
    const { updates, validatedAt } = this.state;
    const wanted = validates(this.options.config) && validatedAt !== updates;
    const best = wanted && (await this.validate());
    await this.record.writeFigures(this.state);
    if (best || this.keeper.savedAt !== updates) await this.save();
    await this.keeper.settle();
    this.tick();
    const { runDirectory, config } = this.options;
    const { model } = this.updater;
    const score = async (mean: Transformer) => (await this.validator.evaluate(mean))?.figures ?? null;
    const averages = await averageAtEnd({
      ...{ runDirectory, config, state: this.state, model, score },
      follows: !this.ranks.isFirst,
    });
    return { state: this.state, reason, last: this.record.latest, averages, lost: this.ranks.lost };
  }

  private async interrupt(signal: 'SIGINT' | 'SIGTERM'): Promise<never> {
    if (this.keeper.savedAt !== this.state.updates) await this.save();
    await this.keeper.settle();
    throw interruption(signal, this.options.runDirectory, this.state, this.keeper.savedAt);
  }

  /** @returns whether it is one of the best so far, which are kept */
  private async validate(): Promise<boolean> {
    const { state } = this;
    await this.record.writeFigures(state);
    const averaged = this.options.config.validateWeights === 'ema';
    const found = await this.validator.evaluate(averaged ? this.ema!.model : this.updater.model);
    this.ranks.agree();
    if (found === null) return false;
    if (!Number.isFinite(found.figures.loss)) return this.skipValidation();
    const { valid, kept, changes } = this.validator.rank(state, found.figures);
    Object.assign(state, changes);
    this.tick();
    state.validatedAt = state.updates;
    state.validatedSeconds = state.seconds;
    this.record.writeValidation(state, valid, found.samples);
    return kept;
  }

  /** A validation loss that is not finite counts for nothing: the doctor looks into it when training is like that too. */
  private skipValidation(): false {
    const { state } = this;
    if (!this.options.config.doctor || this.stopReason() !== undefined) throw diverged(state.updates);
    log.warn(`The validation loss after ${state.updates} updates is not finite.`);
    state.validatedAt = state.updates;
    return false;
  }

  /** Begins a checkpoint of this moment. */
  private async save(): Promise<void> {
    const { state } = this;
    // The last checkpoint vouches for all of the metrics.
    if (this.stopReason() !== undefined) await this.record.writeFigures(state);
    const savable = await this.savable();
    if (savable === null) {
      if (this.stopReason() !== undefined || !this.options.config.doctor) throw diverged(state.updates);
      return log.warn(`No checkpoint after ${state.updates} updates: the norm of the weights is not finite.`);
    }
    await this.keeper.save(savable);
  }

  /** What a checkpoint of this moment is made of; null where the weights are not worth saving. */
  private async savable(): Promise<Savable | null> {
    const { state, updater } = this;
    state.meter = await this.record.sums(state); // throws for what is not worth saving
    if (!(await this.doctor.weightsAreFinite())) return null;
    this.tick();
    const { model, moments } = updater;
    const lr = this.schedule(state.updates);
    return { ...{ model, moments, ema: this.ema?.model, state, lr }, metrics: this.record.flush() };
  }

  private async copy(): Promise<void> {
    const savable = await this.savable();
    if (savable !== null) await this.keeper.copy(savable);
  }

  private tick(): void {
    this.state.seconds = this.ranks.now.seconds;
  }
}
