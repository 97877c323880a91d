import type {
  AlignmentFigures,
  LossFigures,
  Scores,
  ValidationFigures,
} from '../common/validation-figures.js';
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
  batches: SharedBatches,
  labelSmoothing: number,
  translate?: TranslateValidation,
): Promise<Evaluation> {
  const losses = await validate(model, batches, labelSmoothing);
  const { samples = [], ...scores } = (await translate?.(model)) ?? {};
  return { figures: { ...losses, ...scores }, samples };
}

/** The batches of a split, some of which are others' to do. */
export interface SharedBatches {
  /** Of the whole split. */
  count: number;
  /** By number, those that are to be done here. */
  own: Iterable<[number: number, batch: Batch]>;
  /** Puts figures of all in the place of what is not theirs: −0. */
  gather: (figures: Float64Array) => void;
}

/** Loss of a model on a split, dropout off: summed in the order of its batches. @param batches at least one */
export async function validate(
  model: Transformer,
  { count, own, gather }: SharedBatches,
  labelSmoothing: number,
): Promise<LossFigures & AlignmentFigures> {
  const figures = new Float64Array(FIGURES * count).fill(-0);
  for (const [number, batch] of own) {
    const losses = tf.tidy(() => {
      const { loss, nll, alignment } = model.loss(batch, labelSmoothing, { training: null });
      return tf.stack([loss, nll, ...(alignment === undefined ? [] : [alignment])]);
    });
    const [loss, nll, alignment = UNALIGNED] = await losses.data();
    losses.dispose();
    figures.set([loss, nll, alignment, batch.targetOutput.length], FIGURES * number);
  }
  gather(figures);
  const sums = { loss: 0, nll: 0, alignment: 0, tokens: 0 };
  for (let at = 0; at < figures.length; at += FIGURES) {
    sums.loss += figures[at];
    sums.nll += figures[at + 1];
    sums.alignment += figures[at + 2];
    sums.tokens += figures[at + 3];
  }
  return inBits({ ...sums, alignment: sums.alignment < 0 ? undefined : sums.alignment });
}

/** Loss, nll, cross-entropy of alignments and tokens of a batch. */
const FIGURES = 4;
/** In the place of the third, where there are none. */
const UNALIGNED = -1;
