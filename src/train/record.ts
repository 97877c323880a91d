import * as path from 'node:path';
import { GrowingSum, type GrownSum } from '../common/growing-sum.js';
import { log } from '../common/log.js';
import type { Examination } from './doctor/doctor.js';
import { EVENTS_FOLDER } from './event-log.js';
import {
  diverged,
  Meter,
  type MeterSums,
  type ReadFigures,
  type TrainFigures,
  trainFigures,
} from './meter.js';
import { METRICS_FILE, MetricsLog, type MetricsStart } from './metrics-log.js';
import type { Ranks } from './ranks.js';
import type { Schedule } from './schedules.js';
import type { TrainState } from './state.js';
import type { ExpectedEnd } from './stopping.js';
import type { TrainerOptions, TrainingStart } from './training.js';
import { TrainingBar } from './training-bar.js';
import type { UpdateFigures } from './update.js';
import type { TranslationSample } from './validation.js';
import { describeSample, describeValidation } from './validation-report.js';
import type { Standing } from './validator.js';

/** What is told of a training while it runs: its figures are gathered, written to the metrics, and shown. */
export class TrainingRecord {
  /** The latest line of training, if any. */
  latest: TrainFigures | undefined;
  private readonly options: TrainerOptions;
  private readonly schedule: Schedule;
  private readonly meter: Meter;
  /** Null where another process writes them. */
  private metrics: MetricsLog | null;
  private readonly bar: TrainingBar;
  private readonly ranks: Ranks;

  /**
   * @param start where training starts
   * @param ranks the processes of the training
   * @param ends when it ends, as far as that is known
   * @throws UserError where the metrics cannot be written, or are none
   */
  constructor(
    options: TrainerOptions,
    start: TrainingStart,
    schedule: Schedule,
    ranks: Ranks,
    ends: ExpectedEnd,
  ) {
    const { state, metrics } = start;
    this.options = options;
    this.schedule = schedule;
    this.ranks = ranks;
    this.meter = new Meter(options.config.clipNorm, state.meter);
    this.metrics = this.openMetrics({ updates: state.updates, metrics });
    this.bar = new TrainingBar(ends, state.updates, options.config.bestCheckpointMetric);
  }

  /** Takes the figures of an update, and their tensors. */
  add(figures: UpdateFigures, seconds: number): void {
    this.meter.add(figures, seconds);
  }

  /** The figures of the update that was added last. */
  async last(): Promise<Readonly<ReadFigures>> {
    return await this.meter.last();
  }

  /**
   * The sums since the last line of the metrics.
   *
   * @throws DivergenceError where an update was skipped and neither the doctor nor the scale of the loss looks after it
   */
  async sums({ updates, lossScale }: Readonly<TrainState>): Promise<Readonly<MeterSums>> {
    const sums = await this.meter.read();
    const isBorne = this.options.config.doctor || lossScale !== undefined;
    if (sums.skipped > 0 && !isBorne) throw diverged(updates);
    return sums;
  }

  /** Writes the figures since the last line, where there are any. @throws DivergenceError as `sums` does */
  async writeFigures(state: Readonly<TrainState>): Promise<void> {
    if (this.meter.updates === 0) return;
    this.latest = trainFigures(await this.sums(state));
    this.meter.reset();
    const lr = this.schedule(state.updates - 1);
    const scale = state.lossScale && { loss_scale: state.lossScale.scale };
    const lost = this.ranks.idleness();
    const { memory } = this.options;
    const card = memory?.ofCard && { card_mb: memory.resident / 1e6 };
    this.metrics?.write({
      event: 'train',
      ...placeOf(state),
      ...this.latest,
      lr,
      ...scale,
      ...card,
      ...lost,
    });
  }

  /** Writes a validation and tells of it. */
  writeValidation(
    state: Readonly<TrainState>,
    valid: Standing['valid'],
    samples: readonly TranslationSample[],
  ): void {
    const { epoch: _, updates: __, ...figures } = valid;
    const [best] = state.bests;
    this.metrics?.write({
      event: 'valid',
      ...placeOf(state),
      ...figures,
      best_loss: best.loss,
      ...(samples.length > 0 ? { samples } : {}),
    });
    log.info(describeValidation(valid, best, this.options.config.bestCheckpointMetric));
    for (const sample of samples) log.info(describeSample(sample));
  }

  /** Writes what the doctor has seen and tells of what is wrong. */
  writeFindings(state: Readonly<TrainState>, { events, warnings }: Examination): void {
    for (const event of events) this.metrics?.write({ event: 'doctor', ...placeOf(state), ...event });
    for (const warning of warnings) log.warn(warning);
  }

  /** Moves the progress bar. */
  async show(state: Readonly<TrainState>): Promise<void> {
    await this.bar.show(state, this.meter, this.schedule(state.updates - 1));
  }

  /** Writes what waits for the disk. @returns what the metrics are then; null where they could not be written */
  flush(): GrownSum | null {
    return this.metrics === null ? new GrowingSum().sum : this.metrics.flush();
  }

  /** Goes back to a state: what was written of later updates is dropped. */
  goBack(state: Readonly<TrainState>): void {
    this.meter.reset(state.meter);
    this.metrics = this.openMetrics(state);
  }

  stop(): void {
    this.bar.stop();
  }

  private openMetrics(start: MetricsStart): MetricsLog | null {
    if (!this.ranks.isFirst) return null;
    const { config, runDirectory, onMetrics } = this.options;
    const events = config.tensorboard ? path.join(runDirectory, EVENTS_FOLDER) : undefined;
    return new MetricsLog(path.join(runDirectory, METRICS_FILE), start, events, onMetrics);
  }
}

function placeOf({ epoch, updates, seconds }: Readonly<TrainState>) {
  return { epoch, num_updates: updates, wall: seconds };
}
