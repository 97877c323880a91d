import type { ValidationFigures } from '../common/validation-figures.js';
import { batches } from '../data/batch-iterator.js';
import type { Transformer } from '../model/transformer.js';
import { type BestValidation, rank } from './bests.js';
import { cutSplit, firstEpoch } from './split.js';
import type { TrainState } from './state.js';
import type { TrainerOptions } from './training.js';
import { type Evaluation, evaluate } from './validation.js';

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

  /** @throws UserError where no pair is short enough */
  constructor(options: TrainerOptions) {
    this.options = options;
    if (options.valid !== null) cutSplit('valid', options.valid, this.batchOptions);
  }

  /** What a model scores in the precision of training; null where there is no split. */
  async evaluate(model: Transformer): Promise<Evaluation | null> {
    const { config, valid, translate } = this.options;
    if (valid === null) return null;
    model.precision = config.precision;
    const split = batches(valid, this.batchOptions);
    return await evaluate(model, split, config.labelSmoothing, config.evalBleu ? translate : undefined);
  }

  /** Ranks what the model of a state scores by `best-checkpoint-metric`. */
  rank(state: Readonly<TrainState>, figures: ValidationFigures): Standing {
    const { bestCheckpointMetric, keepBest } = this.options.config;
    const valid = { ...figures, epoch: state.epoch, updates: state.updates };
    const { bests, place } = rank(state.bests, valid, bestCheckpointMetric, keepBest);
    const validationsSinceBest = place === 0 ? 0 : state.validationsSinceBest + 1;
    return { valid, kept: place !== -1, changes: { bests, validationsSinceBest } };
  }

  private get batchOptions() {
    const { config, seed, maxPositions } = this.options;
    return { ...firstEpoch({ maxTokens: config.maxTokens, maxPositions, seed }), shuffle: false };
  }
}
