import type { Batch } from '../data/batch.js';
import { differentiate, type GradientTaker } from '../ops/differentiate.js';
import { tf } from '../ops/tf.js';
import type { Mode } from './pass.js';
import type { Transformer } from './transformer.js';

/** Losses of a batch, summed over its target tokens, in nats, and the gradients of the smoothed one. */
export interface LossGradients {
  loss: tf.Scalar;
  nll: tf.Scalar;
  /** See BatchLosses. */
  alignment?: tf.Scalar;
  /** Aligned with the parameters. */
  gradients: tf.Tensor[];
}

/**
 * Forward and backward pass of a batch, as the model's `recompute` says. The caller owns what it returns.
 *
 * @param parameters what to differentiate by
 * @param labelSmoothing ε
 * @param take is given each gradient as soon as it is complete, see differentiate
 */
export function lossGradients(
  model: Transformer,
  parameters: tf.Variable[],
  batch: Batch,
  labelSmoothing: number,
  training: Mode['training'],
  take?: GradientTaker,
): LossGradients {
  let nll: tf.Scalar | undefined;
  let alignment: tf.Scalar | undefined;
  const forward = (): tf.Scalar => {
    const losses = model.loss(batch, labelSmoothing, { training, recompute: model.recompute });
    nll = tf.keep(losses.nll);
    if (losses.alignment !== undefined) alignment = tf.keep(losses.alignment);
    return losses.loss;
  };
  const { value: loss, gradients } = differentiate(forward, parameters, undefined, take);
  return { loss, nll: nll!, ...(alignment !== undefined && { alignment }), gradients };
}
