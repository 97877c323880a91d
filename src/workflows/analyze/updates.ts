import { MatrixNormMeter, measureHiddenGradients } from '../../analysis/gradient-norms.js';
import { followUpdates, meterUpdates, type Updates } from '../../analysis/updates.js';
import { log } from '../../common/log.js';
import type { TrainConfig } from '../../config/schema.js';
import { type BatchOptions, planBatches, readBatch } from '../../data/batch-iterator.js';
import { lengthsOfEpoch } from '../../data/corpus-mix.js';
import type { EpochPlan } from '../../data/epoch-plan.js';
import { tf } from '../../ops/tf.js';
import type { GradientNorms, UpdateSensitivity } from '../../report/analysis-data.js';
import { createSchedule } from '../../train/schedules.js';
import { firstEpoch } from '../../train/split.js';
import { type AllReduce, Updater } from '../../train/update.js';
import type { TrainingData } from '../train/data.js';
import type { AnalysisContext } from './context.js';
import { type AnalyzedModel, type OpenModel, openModel } from './models.js';

/** Gradients of each sublayer and matrix, and the updates that the optimizer makes of them. */
export async function measureGradients(context: AnalysisContext): Promise<GradientNorms[]> {
  const { models, options, batch } = context;
  const measured: GradientNorms[] = [];
  for (const analyzed of models) {
    const { subject, config } = analyzed;
    log.info(`Gradients: ${subject.residual}, ${subject.checkpoint}`);
    const norms = await withUpdates(context, analyzed, config.train, async ({ model }, updates) => {
      const { labelSmoothing } = config.train;
      const hidden = await measureHiddenGradients(model, batch.batch, labelSmoothing, batch.training);
      const meter = new MatrixNormMeter(model);
      await meterUpdates(model, updates, options.steps, meter);
      return { ...subject, steps: options.steps, hidden, matrices: meter.norms() };
    });
    measured.push(norms);
  }
  return measured;
}

/** What the next updates of training change; at initialisation also without warmup. */
export async function measureUpdates(context: AnalysisContext): Promise<UpdateSensitivity[]> {
  const { models, options, batch } = context;
  const measured: UpdateSensitivity[] = [];
  for (const analyzed of models) {
    const { subject, config, folder } = analyzed;
    const { train } = config;
    const flat: TrainConfig = { ...train, lrScheduler: 'constant', warmupUpdates: 0 };
    const follow = (warmup: boolean): Promise<UpdateSensitivity> => {
      const which = warmup ? 'as configured' : 'without warmup';
      log.info(`Updates: ${subject.residual}, ${subject.checkpoint}, ${which}`);
      return withUpdates(context, analyzed, warmup ? train : flat, async ({ model }, updates) => ({
        ...subject,
        warmup,
        steps: await followUpdates(model, updates, options.steps, batch),
      }));
    };
    measured.push(await follow(true));
    if (folder === null && train.warmupUpdates > 0) measured.push(await follow(false));
  }
  return measured;
}

/** Opens a model with training's own updates of it, and disposes of both. */
async function withUpdates<T>(
  { data, options }: AnalysisContext,
  analyzed: AnalyzedModel,
  train: TrainConfig,
  work: (open: OpenModel, updates: Updates) => Promise<T>,
): Promise<T> {
  const open = await openModel(analyzed, data, options.withDropout === true);
  try {
    const updates = new TrainingUpdates(open, analyzed, train, data);
    try {
      return await work(open, updates);
    } finally {
      updates.dispose();
    }
  } finally {
    open.model.dispose();
  }
}

/** The updates of training that follow a checkpoint, on the batches of the first epoch from its start. */
class TrainingUpdates implements Updates {
  private readonly updater: Updater;
  private readonly data: TrainingData;
  private readonly train: TrainConfig;
  private readonly plan: EpochPlan;
  private readonly batchOptions: BatchOptions;
  private updates: number;
  private used = 0;
  private look: Parameters<Updates['next']>[0];

  constructor(
    { model, moments, updates }: OpenModel,
    { config }: AnalyzedModel,
    train: TrainConfig,
    data: TrainingData,
  ) {
    const { seed } = config;
    const observe: AllReduce = (own) => {
      this.look?.(own.gradients, own.tokens);
      return own;
    };
    this.updater = new Updater(model, { ...train, seed }, moments?.(), observe);
    this.data = data;
    this.train = train;
    this.updates = updates;
    const { maxPositions } = config.model;
    const { maxTokens, batchBy } = train;
    this.batchOptions = firstEpoch({ maxTokens, batchBy, maxPositions, seed });
    this.plan = planBatches(lengthsOfEpoch(data.train, this.batchOptions), this.batchOptions);
  }

  next(look?: Parameters<Updates['next']>[0]): number {
    this.look = look;
    const batches = Array.from({ length: this.train.updateFreq }, () => {
      const indices = this.plan.batch(this.used++ % this.plan.length);
      return readBatch(this.data.train, indices, this.batchOptions, this.data.resegment);
    });
    const lr = createSchedule(this.train)(this.updates);
    const { loss, nll, gradientNorm } = this.updater.apply(batches, this.updates, lr);
    tf.dispose([loss, nll, gradientNorm]);
    this.updates++;
    return lr;
  }

  dispose(): void {
    this.updater.dispose();
  }
}
