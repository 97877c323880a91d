import type { ValidationFigures } from '../common/validation-figures.js';
import type { Batch } from '../data/batch.js';
import { type PairSource, planBatches, readBatch } from '../data/batch-iterator.js';
import type { Transformer } from '../model/transformer.js';
import { type BestValidation, rank } from './bests.js';
import type { Ranks } from './ranks.js';
import { cutSplit, firstEpoch } from './split.js';
import type { TrainState } from './state.js';
import type { TrainerOptions } from './training.js';
import { type Evaluation, evaluate, type SharedBatches } from './validation.js';

/** Where a validation stands among those before it. */
export interface Standing {
  valid: BestValidation & ValidationFigures;
  /** Whether it is one of the best so far, which are kept. */
  kept: boolean;
  /** What of the state it changes. */
  changes: Pick<TrainState, 'bests' | 'validationsSinceBest'>;
}

/** Validates models on the validation split of a training, if it has one. */
export class Validator {
  private readonly options: TrainerOptions;
  private readonly ranks: Ranks;

  /** @throws UserError where no pair is short enough */
  constructor(options: TrainerOptions, ranks: Ranks) {
    this.options = options;
    this.ranks = ranks;
    if (options.valid !== null) cutSplit('valid', options.valid, this.batchOptions);
  }

  /** What a model scores in the precision of training; null where there is no split. */
  async evaluate(model: Transformer): Promise<Evaluation | null> {
    const { config, guidance = null, valid, translate } = this.options;
    if (valid === null) return null;
    model.precision = config.precision;
    model.guidance = guidance;
    const { labelSmoothing, evalBleu } = config;
    return await evaluate(model, this.share(valid), labelSmoothing, evalBleu ? translate : undefined);
  }

  /** Ranks what the model of a state scores by `best-checkpoint-metric`. */
  rank(state: Readonly<TrainState>, figures: ValidationFigures): Standing {
    const { bestCheckpointMetric, keepBest } = this.options.config;
    const valid = { ...figures, epoch: state.epoch, updates: state.updates };
    const { bests, place } = rank(state.bests, valid, bestCheckpointMetric, keepBest);
    const validationsSinceBest = place === 0 ? 0 : state.validationsSinceBest + 1;
    return { valid, kept: place !== -1, changes: { bests, validationsSinceBest } };
  }

  /** The batches of the split, dealt out by their number. */
  private share(valid: PairSource): SharedBatches {
    const { ranks, batchOptions } = this;
    const plan = planBatches(valid, batchOptions);
    function* own(): Generator<[number, Batch]> {
      for (let number = 0; number < plan.length; number++) {
        if (ranks.isOwn(number)) yield [number, readBatch(valid, plan.batch(number), batchOptions)];
      }
    }
    return { count: plan.length, own: own(), gather: (figures) => ranks.gather(figures) };
  }

  private get batchOptions() {
    const { config, seed, maxPositions } = this.options;
    const { maxTokens, batchBy } = config;
    return { ...firstEpoch({ maxTokens, batchBy, maxPositions, seed }), shuffle: false };
  }
}
