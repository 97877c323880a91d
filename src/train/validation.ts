import type { Batch } from '../data/batch.js';
import type { Transformer } from '../model/transformer.js';
import { tf } from '../ops/tf.js';
import { inBits } from './meter.js';

export interface ValidationFigures {
  /** Label-smoothed, per target token, in bits. */
  loss: number;
  nll_loss: number;
  /** 2^nll_loss. */
  ppl: number;
}

/** Loss of a model on a split, dropout off. @param batches at least one */
export async function validate(
  model: Transformer,
  batches: Iterable<Batch>,
  labelSmoothing: number,
): Promise<ValidationFigures> {
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
