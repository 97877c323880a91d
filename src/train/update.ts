import type { TrainConfig } from '../config/schema.js';
import type { Batch } from '../data/batch.js';
import { lossGradients } from '../model/loss-gradients.js';
import type { Transformer } from '../model/transformer.js';
import type { GradientTaker } from '../ops/differentiate.js';
import { layTogether } from '../ops/lists.js';
import {
  type AdamOptions,
  adamStepSize,
  adamUpdate,
  globalNorm,
  type Moments,
  radamStepSize,
  sgdStep,
  zeroMoments,
} from '../ops/optimizer.js';
import { tf } from '../ops/tf.js';
import { GradientTree, type Share } from './gradient-tree.js';

export type UpdateOptions = Pick<
  TrainConfig,
  | 'optimizer'
  | 'adamBetas'
  | 'adamEps'
  | 'momentum'
  | 'weightDecay'
  | 'labelSmoothing'
  | 'clipNorm'
  | 'updateFreq'
> & {
  seed: number;
  /** What of an update this process does; default all. `updateFreq` counts the batches of all processes. */
  share?: Share;
  /** Steps that the optimizer is ahead of the updates, see TrainState. */
  optimizerAhead?: number;
};

/** Figures of one update, on the device until somebody wants to know them. The receiver disposes of the tensors. */
export interface UpdateFigures {
  /** Label-smoothed loss and negative log-likelihood, summed over the target tokens, in nats: one a batch. */
  loss: tf.Scalar[];
  nll: tf.Scalar[];
  /** Cross-entropy of the guided attention, likewise; where alignments are trained on. */
  alignment?: tf.Scalar[];
  /**
   * Norm of the gradient of the loss per token, before clipping. Where this or a loss is not finite, the update was
   * skipped: weights and moments are what they were before.
   */
  gradientNorm: tf.Scalar;
  /** Target tokens, `</s>` counted. */
  tokens: number;
  pairs: number;
}

/** Gradients of a loss that is summed over tokens, aligned with the trained weights, and the figures of its batches. */
export interface SummedGradients extends Omit<UpdateFigures, 'gradientNorm'> {
  gradients: tf.Tensor[];
}

/**
 * Where the gradients of several processes are summed before they are used, and their figures put one behind another. It
 * owns what it is given and hands over what it returns. Whoever wants gradients earlier than that takes them one by one, see
 * Updater.
 */
export type AllReduce = (own: SummedGradients) => SummedGradients;

/** One process: its gradients are the sum. */
const alone: AllReduce = (own) => own;

/** The model and its optimizer: one update after another. */
export class Updater {
  readonly model: Transformer;
  readonly moments: Moments;
  private readonly parameters: tf.Variable[];
  private readonly options: UpdateOptions;
  private readonly allReduce: AllReduce;
  private readonly take: GradientTaker | undefined;

  /**
   * @param moments from a checkpoint; owned by this object
   * @param take is given the sum of each gradient over the batches of this process as soon as it is complete, while the last of
   *   them is still being gone back through; `allReduce` gets what it gives back
   */
  constructor(
    model: Transformer,
    options: UpdateOptions,
    moments?: Moments,
    allReduce = alone,
    take?: GradientTaker,
  ) {
    this.model = model;
    this.options = options;
    this.parameters = model.trainable;
    this.moments = moments ?? zeroMoments(this.parameters);
    this.allReduce = allReduce;
    this.take = take;
  }

  /**
   * One update: the gradients of the loss summed over all tokens of the batches, divided by the number of those
   * tokens, clipped, and a step of the optimizer. Where a loss or the norm is not finite there is no step, which the
   * device decides for itself.
   *
   * @param batches of the share of this process; none where the epoch ends before it
   * @param updates done before; with the place of a batch it numbers the dropout masks
   * @param lossScale what gradients are multiplied by on the way, see loss-scale.ts
   */
  apply(batches: readonly Batch[], updates: number, lr: number, lossScale = 1): UpdateFigures {
    for (const list of [this.parameters, this.moments.first, this.moments.second]) layTogether(list);
    const { gradients, ...figures } = this.allReduce(this.gradientsOf(batches, updates, lossScale));
    const divisor = figures.tokens * lossScale;
    const gradientNorm = tf.tidy(() => tf.div<tf.Scalar>(globalNorm(gradients), divisor));
    const scale = tf.tidy(() => {
      const factor = tf.div<tf.Scalar>(this.clipFactor(gradientNorm), divisor);
      return tf.add<tf.Scalar>(factor, zeroIfFinite([...figures.loss, gradientNorm]));
    });
    this.step(gradients, scale, updates + 1 + (this.options.optimizerAhead ?? 0), lr);
    tf.dispose([gradients, scale]);
    return { ...figures, gradientNorm };
  }

  dispose(): void {
    tf.dispose([this.moments.first, this.moments.second]);
  }

  private gradientsOf(batches: readonly Batch[], updates: number, lossScale: number): SummedGradients {
    const { labelSmoothing, seed, updateFreq, share = { first: 0, end: updateFreq } } = this.options;
    const tree = new GradientTree(share, updateFreq);
    const { take } = this;
    const takeSum: GradientTaker | undefined =
      take && ((place, gradient) => take(place, tree.addLast(place, gradient)));
    let sums: tf.Tensor[] | undefined;
    const [losses, nlls, alignments]: [tf.Scalar[], tf.Scalar[], tf.Scalar[]] = [[], [], []];
    for (const [i, batch] of batches.entries()) {
      const training = { seed, step: updates * updateFreq + share.first + i, lossScale };
      const last = i === batches.length - 1 ? takeSum : undefined;
      const found = lossGradients(this.model, this.parameters, batch, labelSmoothing, training, last);
      const { loss, nll, alignment, gradients } = found;
      losses.push(loss);
      nlls.push(nll);
      if (alignment !== undefined) alignments.push(alignment);
      if (last === undefined) tree.add(gradients);
      else sums = gradients;
    }
    return {
      gradients: sums ?? tree.sum() ?? this.nothing(),
      loss: losses,
      nll: nlls,
      ...(this.model.guidance !== null && { alignment: alignments }),
      tokens: batches.reduce((sum, batch) => sum + batch.targetOutput.length, 0),
      pairs: batches.reduce((sum, batch) => sum + batch.indices.length, 0),
    };
  }

  /** The gradients of no batch at all. */
  private nothing(): tf.Tensor[] {
    const { take = (_, gradient) => gradient } = this;
    return this.parameters.map((weight, place) => take(place, nothing(weight)));
  }

  /** min(1, clip-norm / (norm + 1e-6)), as PyTorch's clip_grad_norm_ has it. */
  private clipFactor(norm: tf.Scalar): tf.Scalar {
    const { clipNorm } = this.options;
    return clipNorm === 0 ? tf.scalar(1) : tf.minimum(tf.div(clipNorm, tf.add(norm, 1e-6)), 1);
  }

  private step(gradients: tf.Tensor[], scale: tf.Scalar, step: number, lr: number): void {
    const { stepSize, options } = stepOf(this.options, step, lr);
    adamUpdate(this.parameters, gradients, this.moments, stepSize, options, scale);
  }
}

/** What adds nothing to the bits of a gradient: −0, since +0 would make +0 of −0. */
function nothing({ shape }: tf.Tensor): tf.Tensor {
  return tf.fill(shape, -0);
}

/** What the optimizer's step number `step` is made of, from 1. */
function stepOf(
  { optimizer, adamBetas: betas, adamEps: eps, momentum, weightDecay }: UpdateOptions,
  step: number,
  lr: number,
): { stepSize: number | null; options: AdamOptions } {
  const options = { lr, betas, eps, weightDecay };
  switch (optimizer) {
    case 'adam':
      return { stepSize: adamStepSize(step, options), options };
    case 'radam':
      return { stepSize: radamStepSize(step, options), options };
    case 'sgd':
      return sgdStep(momentum, options);
  }
}

/** 0, or NaN where one of the values is not finite. */
function zeroIfFinite(values: tf.Scalar[]): tf.Scalar {
  return tf.sum(tf.mul(tf.stack(values), 0));
}
