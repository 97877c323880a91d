import type { LossFigures, Scores, ValidationFigures } from '../common/validation-figures.js';
import type { Batch } from '../data/batch.js';
import type { Transformer } from '../model/transformer.js';
import { tf } from '../ops/tf.js';
import { inBits } from './meter.js';

/** A pair of the split as text, and what the model makes of it. */
export interface TranslationSample {
  source: string;
  reference: string;
  hypothesis: string;
}

/** Scores of a split that was translated. */
export interface TranslatedValidation extends Partial<Scores> {
  /** The first few of the split. */
  samples: TranslationSample[];
}

/** Translates a validation split. */
export type TranslateValidation = (model: Transformer) => Promise<TranslatedValidation>;

/** What a model scores on a split. */
export interface Evaluation {
  figures: ValidationFigures;
  /** Where it was translated. */
  samples: TranslationSample[];
}

/**
 * Validates a model, dropout off.
 *
 * @param batches at least one
 * @param translate translates the split, where that is wanted
 */
export async function evaluate(
  model: Transformer,
  batches: Iterable<Batch>,
  labelSmoothing: number,
  translate?: TranslateValidation,
): Promise<Evaluation> {
  const losses = await validate(model, batches, labelSmoothing);
  const { samples = [], ...scores } = (await translate?.(model)) ?? {};
  return { figures: { ...losses, ...scores }, samples };
}

/** Loss of a model on a split, dropout off. @param batches at least one */
export async function validate(
  model: Transformer,
  batches: Iterable<Batch>,
  labelSmoothing: number,
): Promise<LossFigures> {
  const sums = { loss: 0, nll: 0, tokens: 0 };
  for (const batch of batches) {
    const losses = tf.tidy(() => {
      const { loss, nll } = model.loss(batch, labelSmoothing, { training: null });
      return tf.stack([loss, nll]);
    });
    const [loss, nll] = await losses.data();
    losses.dispose();
    sums.loss += loss;
    sums.nll += nll;
    sums.tokens += batch.targetOutput.length;
  }
  return inBits(sums);
}
