import type { Batch } from '../data/batch.js';
import { alignmentLoss } from '../ops/alignment-loss.js';
import { tf } from '../ops/tf.js';
import { withGradient } from '../ops/with-gradient.js';
import type { AttentionChoice } from './attention-matrix.js';
import type { AttentionWatch, Mode, Tap } from './pass.js';

/** Which attention is trained towards the alignments of batches. */
export interface Guidance extends AttentionChoice {
  /** What its cross-entropy is multiplied by beside the loss of the translations. */
  weight: number;
}

/**
 * Takes the alignments of a batch into its forward pass: the cross-entropy of the chosen attention, summed over the batch in
 * nats, each target token that has links counted once in equal shares (as fairseq weighs them).
 *
 * Its gradient goes along with that of the hidden states after this attention: whoever goes back through them gets the
 * sum of both, also where a layer is computed again for that.
 *
 * @param width d
 * @param heads that an attention has
 * @returns the mode of the pass, and the cross-entropy once the pass was made, which the caller disposes of
 */
export function guided(
  mode: Mode,
  { source, targetInput, links }: Pick<Batch, 'source' | 'targetInput' | 'links'>,
  { layer, head, weight }: Guidance,
  { embedDim: width, attentionHeads: heads }: { embedDim: number; attentionHeads: number },
): { mode: Mode; found: () => tf.Scalar } {
  let latest: tf.Scalar | undefined;
  let first: tf.Scalar | undefined;
  const watchAttention: AttentionWatch = (index, queries, keys) => {
    mode.watchAttention?.(index, queries, keys);
    if (index !== layer) return;
    const [q, k] = [targetInput.offsets, source.offsets];
    latest = alignmentLoss(queries, keys, q, k, links!, { heads, head }, width);
    // A layer that is computed again for the backward pass finds the same once more.
    first ??= tf.keep(tf.clone(latest));
  };
  const slope = weight * (mode.training?.lossScale ?? 1);
  const tap: Tap = (site, output) => {
    const tapped = mode.tap?.(site, output) ?? output;
    const isHere = site.stack === 'decoder' && site.sublayer === 'encoder' && site.layer === layer;
    return isHere ? carrying(tapped, latest!, slope) : tapped;
  };
  return { mode: { ...mode, watchAttention, tap }, found: () => first! };
}

/** y as it is, but that whoever takes a gradient through it also takes that of slope · extra. */
function carrying(y: tf.Tensor2D, extra: tf.Scalar, slope: number): tf.Tensor2D {
  return withGradient<tf.Tensor2D>([y, extra], () => ({
    value: tf.clone(y),
    gradient: (dy) => [dy, tf.scalar(slope)],
  }));
}
