import * as path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { InterruptedError } from '../common/errors.js';
import { log } from '../common/log.js';
import type { TimeLimit } from '../common/progress.js';
import type { Batch } from '../data/batch.js';
import { type BatchOptions, batches, planBatches, readBatch } from '../data/batch-iterator.js';
import type { Transformer } from '../model/transformer.js';
import { rank } from './bests.js';
import { checkpointName } from './checkpoint-folders.js';
import { Doctor } from './doctor/doctor.js';
import { goBack, markGood } from './doctor/rollback.js';
import { EVENTS_FOLDER } from './event-log.js';
import { averageAtEnd } from './final-average.js';
import { diverged, Meter, type MeterSums, type TrainFigures, trainFigures } from './meter.js';
import { METRICS_FILE, MetricsLog } from './metrics-log.js';
import { milestone, savesOnTheWay, validates } from './milestones.js';
import { MovingAverage } from './moving-average.js';
import { Saver } from './saver.js';
import { createSchedule, type Schedule } from './schedules.js';
import { planSplit } from './split.js';
import type { TrainState } from './state.js';
import { stopReason } from './stopping.js';
import type { TrainerOptions, TrainingEnd, TrainingStart } from './training.js';
import { TrainingBar } from './training-bar.js';
import { Updater } from './update.js';
import { type Evaluation, evaluate } from './validation.js';
import { describeSample, describeValidation } from './validation-report.js';

/** Seconds that a save is trusted to take at most before the first one. */
const LEAST_MARGIN = 2;

/** One training run from where its state stands to its end. */
export class Trainer {
  private readonly options: TrainerOptions;
  private readonly updater: Updater;
  private readonly schedule: Schedule;
  private readonly meter: Meter;
  private metrics: MetricsLog;
  private readonly state: TrainState;
  private readonly bar: TrainingBar;
  /** With `ema-decay`. */
  private readonly ema: MovingAverage | undefined;
  private readonly doctor: Doctor;
  /** Time of a start at which no second of training had passed. */
  private readonly startedAt: number;
  /** The batches of the epoch. */
  private plan: Int32Array[];
  private readonly saver: Saver;
  /** Where training stood at the latest checkpoint. */
  private saved: { updates: number; seconds: number };
  /** Seconds that the longest update has taken, for `stopAfter`. */
  private longestUpdate = 0;
  private readonly processStart = performance.now();
  private figures: TrainFigures | undefined;

  /**
   * @param start where training starts
   */
  constructor(options: TrainerOptions, { model, state, moments, ema }: TrainingStart) {
    const { config, seed, valid } = options;
    this.options = options;
    this.state = { ...state };
    this.startedAt = performance.now() - 1000 * state.seconds;
    this.plan = planSplit('train', options.train, this.batchOptions()).batches;
    if (valid !== null) planSplit('valid', valid, this.batchOptions('valid'));
    const schedule = createSchedule(config);
    this.schedule = (updates) => schedule(updates) * this.state.doctor.lrFactor;
    this.meter = new Meter(config.clipNorm, state.meter);
    const keep = savesOnTheWay(config) ? config.keepLast || Infinity : 0;
    this.saver = new Saver({ ...options, keep }, state.updates);
    this.saved = { updates: state.updates, seconds: state.seconds };
    this.metrics = this.openMetrics();
    const { optimizerAhead } = state;
    this.updater = new Updater(model, { ...config, seed, optimizerAhead }, moments, options.allReduce);
    this.doctor = new Doctor(options, model);
    if (config.emaDecay !== null) this.ema = new MovingAverage(model, config.emaDecay, ema);
    this.bar = new TrainingBar(this.expectedEnd(), state.updates, config.bestCheckpointMetric);
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
        await this.saver.settle();
      }
      for (;;) {
        await this.atMilestone();
        const reason = this.stopReason();
        if (reason !== undefined) return await this.finish(reason);
        const signal = this.options.interrupted() ?? this.outOfTime();
        if (signal !== undefined) await this.interrupt(signal);
        if (this.options.saveRequested?.() && this.saver.savedAt !== this.state.updates) await this.save();
        if (this.epochDone) this.startEpoch();
        await this.update();
        await setImmediate(); // lets signals be heard
      }
    } finally {
      this.bar.stop();
      await this.saver.idle();
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
    return this.state.position >= this.plan.length;
  }

  private startEpoch(): void {
    this.state.epoch++;
    this.state.position = 0;
    this.plan = planBatches(this.options.train, this.batchOptions()).batches;
  }

  private async update(): Promise<void> {
    const { config } = this.options;
    const { state } = this;
    const started = performance.now();
    const planned = this.plan.slice(state.position, state.position + config.updateFreq);
    const read = planned.map((indices) => this.read(indices));
    const figures = this.updater.apply(read, state.updates, this.schedule(state.updates));
    state.position += planned.length;
    state.updates++;
    this.ema?.update(state.updates);
    const seconds = (performance.now() - started) / 1000;
    this.meter.add(figures, seconds);
    this.longestUpdate = Math.max(this.longestUpdate, seconds);
    if (config.doctor && (await this.examine(read))) return;
    this.tick();
    if (state.updates % config.logInterval === 0) await this.writeFigures();
    await this.bar.show(state, this.meter, this.schedule(state.updates - 1));
  }

  /**
   * Lets the doctor look at the update that was just done. Where it gives up, training goes back or ends.
   *
   * @returns whether it has gone back
   */
  private async examine(batches: readonly Batch[]): Promise<boolean> {
    const { state, plan } = this;
    const found = this.doctor.examine(state.doctor, {
      ...{ update: state.updates, lr: this.schedule(state.updates - 1), figures: await this.meter.last() },
      ...{ batches, plan, read: (indices) => this.read(indices) },
    });
    state.doctor = found.state;
    for (const event of found.events) this.metrics.write({ event: 'doctor', ...this.place(), ...event });
    for (const warning of found.warnings) log.warn(warning);
    if (found.givenUp === null) return false;
    await this.saver.idle();
    const restored = goBack(state, { updater: this.updater, ema: this.ema?.model, ...this.options });
    if (restored === null) {
      this.tick();
      if (this.meter.updates > 0) await this.writeFigures(); // the metrics end where training does
      throw this.doctor.giveUp(found.givenUp);
    }
    this.goOnFrom(restored);
    return true;
  }

  /** Goes on from another state, whose weights and moments are there already. */
  private goOnFrom(state: TrainState): void {
    Object.assign(this.state, state);
    this.tick();
    this.meter.reset(state.meter);
    this.metrics = this.openMetrics();
    this.plan = planBatches(this.options.train, this.batchOptions()).batches;
    this.saver.savedAt = state.updates;
    this.saved = { updates: state.updates, seconds: state.seconds };
  }

  /** The metrics up to here; lines of later updates are dropped. */
  private openMetrics(): MetricsLog {
    const { config, runDirectory, onMetrics } = this.options;
    const events = config.tensorboard ? path.join(runDirectory, EVENTS_FOLDER) : undefined;
    return new MetricsLog(path.join(runDirectory, METRICS_FILE), this.state.updates, events, onMetrics);
  }

  /** Validates and saves where the intervals say so, and has not done so at this update. */
  private async atMilestone(): Promise<void> {
    const { state, epochDone, saver } = this;
    const { config } = this.options;
    const due = milestone(config, { state, epochDone, saved: { ...this.saved, updates: saver.savedAt } });
    const best = due.validate && (await this.validate());
    const { good } = state.doctor;
    if ((best || due.save) && !due.byClock) state.doctor = markGood(state, config);
    if (best || due.save || saver.retryDue) await this.save();
    if (saver.savedAt !== state.updates) state.doctor = { ...state.doctor, good }; // it was not worth saving
  }

  private async finish(reason: string): Promise<TrainingEnd> {
    const { updates, validatedAt } = this.state;
    const wanted = validates(this.options.config) && validatedAt !== updates;
    const best = wanted && (await this.validate());
    if (this.meter.updates > 0) await this.writeFigures();
    if (best || this.saver.savedAt !== updates) await this.save();
    await this.saver.settle();
    this.tick();
    const { runDirectory, config } = this.options;
    const { model } = this.updater;
    const score = async (mean: Transformer) => (await this.evaluate(mean))?.figures ?? null;
    const averages = await averageAtEnd({ runDirectory, config, state: this.state, model, score });
    return { state: this.state, reason, last: this.figures, averages };
  }

  private async interrupt(signal: 'SIGINT' | 'SIGTERM'): Promise<never> {
    const { epoch, updates } = this.state;
    if (this.saver.savedAt !== updates) await this.save();
    await this.saver.settle();
    const where = path.join(this.options.runDirectory, checkpointName(epoch, updates));
    const { savedAt } = this.saver;
    const kept = savedAt === updates ? `saved in ${where}` : `of which the first ${savedAt} are saved`;
    const saved = updates === 0 ? 'before the first update' : `after ${updates} updates, ${kept}`;
    throw new InterruptedError(signal, `Interrupted ${saved}. The same command goes on from there.`);
  }

  private evaluate(model: Transformer): Promise<Evaluation | null> {
    const { config, valid, translate } = this.options;
    if (valid === null) return Promise.resolve(null);
    const split = batches(valid, this.batchOptions('valid'));
    return evaluate(model, split, config.labelSmoothing, config.evalBleu ? translate : undefined);
  }

  /** @returns whether it is one of the best so far, which are kept */
  private async validate(): Promise<boolean> {
    const { config } = this.options;
    const { state } = this;
    if (this.meter.updates > 0) await this.writeFigures();
    const live = this.updater.model;
    const found = await this.evaluate(config.validateWeights === 'ema' ? this.ema!.model : live);
    if (found === null) return false;
    const { figures, samples } = found;
    if (!Number.isFinite(figures.loss)) return this.skipValidation();
    const valid = { ...figures, epoch: state.epoch, updates: state.updates };
    const { bests, place } = rank(state.bests, valid, config.bestCheckpointMetric, config.keepBest);
    state.bests = bests;
    state.validationsSinceBest = place === 0 ? 0 : state.validationsSinceBest + 1;
    this.tick();
    state.validatedAt = state.updates;
    state.validatedSeconds = state.seconds;
    this.metrics.write({
      event: 'valid',
      ...this.place(),
      ...figures,
      best_loss: bests[0].loss,
      ...(samples.length > 0 ? { samples } : {}),
    });
    log.info(describeValidation(valid, bests[0], config.bestCheckpointMetric));
    for (const sample of samples) log.info(describeSample(sample));
    return place !== -1;
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
    const { state, updater, saver } = this;
    // The last checkpoint vouches for all of the metrics.
    if (this.stopReason() !== undefined && this.meter.updates > 0) await this.writeFigures();
    state.meter = await this.readMeter(); // throws for what is not worth saving
    if (!this.doctor.weightsAreFinite()) {
      if (this.stopReason() !== undefined || !this.options.config.doctor) throw diverged(state.updates);
      return log.warn(`No checkpoint after ${state.updates} updates: the norm of the weights is not finite.`);
    }
    this.tick();
    this.saved = { updates: state.updates, seconds: state.seconds };
    await saver.save({
      model: updater.model,
      moments: updater.moments,
      ema: this.ema?.model,
      state,
      lr: this.schedule(state.updates),
      metricsBytes: this.metrics.flush(),
    });
  }

  /** SIGTERM where the process would not be saved in time after one more update. */
  private outOfTime(): 'SIGTERM' | undefined {
    const { stopAfter = null } = this.options;
    if (stopAfter === null) return undefined;
    const needed = 2 * this.longestUpdate + Math.max(2 * this.saver.longest, LEAST_MARGIN);
    return (performance.now() - this.processStart) / 1000 + needed >= stopAfter ? 'SIGTERM' : undefined;
  }

  /** @throws DivergenceError where an update was skipped and no doctor looks after it */
  private async readMeter(): Promise<Readonly<MeterSums>> {
    const sums = await this.meter.read();
    if (sums.skipped > 0 && !this.options.config.doctor) throw diverged(this.state.updates);
    return sums;
  }

  /** Writes the figures since the last time as a line of the metrics. */
  private async writeFigures(): Promise<void> {
    this.figures = trainFigures(await this.readMeter());
    this.meter.reset();
    const lr = this.schedule(this.state.updates - 1);
    this.metrics.write({ event: 'train', ...this.place(), ...this.figures, lr });
  }

  private place(): { epoch: number; num_updates: number; wall: number } {
    const { epoch, updates, seconds } = this.state;
    return { epoch, num_updates: updates, wall: seconds };
  }

  private tick(): void {
    this.state.seconds = (performance.now() - this.startedAt) / 1000;
  }

  /** How many updates max-update and max-epoch allow, as far as they can be told now, and the time that stop-time allows. */
  private expectedEnd(): { total?: number; timeLimit?: TimeLimit } {
    const { maxUpdate, maxEpoch, updateFreq, stopTime } = this.options.config;
    const perEpoch = Math.ceil(this.plan.length / updateFreq);
    const least = Math.min(maxUpdate ?? Infinity, (maxEpoch ?? Infinity) * perEpoch);
    return {
      total: least === Infinity ? undefined : least,
      timeLimit: stopTime === null ? undefined : { whole: 60 * stopTime, spent: this.state.seconds },
    };
  }

  private read(indices: Int32Array): Batch {
    const { train, resegment } = this.options;
    return readBatch(train, indices, this.batchOptions(), resegment);
  }

  private batchOptions(split: 'train' | 'valid' = 'train'): BatchOptions {
    const { config, seed, maxPositions } = this.options;
    const shuffle = split === 'train';
    const { epoch } = this.state;
    return { maxTokens: config.maxTokens, maxPositions, seed, epoch, shuffle, rank: 0, worldSize: 1 };
  }
}
