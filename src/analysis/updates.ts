import type { Batch } from '../data/batch.js';
import type { Mode, Transformer } from '../model/transformer.js';
import { globalNormValue } from '../ops/optimizer.js';
import { readAndDispose } from '../ops/reading.js';
import { tf } from '../ops/tf.js';
import type { UpdateStep } from '../report/analysis-data.js';
import { forward } from './forward.js';
import type { MatrixNormMeter } from './gradient-norms.js';
import { meanSquaredDifference } from './row-statistics.js';

/** Makes one update of a model after another, as training does. */
export interface Updates {
  /**
   * @param look sees the gradients, aligned with the weights that are trained, of the loss summed over the tokens;
   *   before the weights are changed
   * @returns the learning rate of the update
   */
  next(look?: (gradients: readonly tf.Tensor[], tokens: number) => void): number;
}

/** Makes updates and counts the gradient and the change of each matrix into a meter. */
export async function meterUpdates(
  model: Transformer,
  updates: Updates,
  count: number,
  meter: MatrixNormMeter,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    let [seen, tokens]: [tf.Tensor[], number] = [[], 0];
    const { lr, changes } = changesOf(model, () =>
      updates.next((gradients, own) => {
        [seen, tokens] = [gradients.map((gradient) => tf.clone(gradient)), own];
      }),
    );
    await meter.add(seen, tokens, changes, lr);
    tf.dispose([seen, changes]);
  }
}

/**
 * What each of some updates changes: in the weights, and in the outputs of both stacks on one batch.
 *
 * @param training dropout of what is measured, see Mode
 */
export async function followUpdates(
  model: Transformer,
  updates: Updates,
  count: number,
  { batch, training }: { batch: Batch; training: Mode['training'] },
): Promise<UpdateStep[]> {
  const steps: UpdateStep[] = [];
  let before = await forward(model, batch, { training });
  for (let update = 1; update <= count; update++) {
    const size = await globalNormValue(model.trainable);
    const { lr, changes } = changesOf(model, () => updates.next());
    const change = await globalNormValue(changes);
    const after = await forward(model, batch, { training });
    steps.push({
      update,
      lr,
      relativeUpdate: change / size,
      encoderChange: meanSquaredDifference(before.encoder, after.encoder),
      decoderChange: meanSquaredDifference(before.decoder, after.decoder),
      nll: await bitsPerToken(model, batch, training),
    });
    tf.dispose(changes);
    before = after;
  }
  return steps;
}

/** What an update changes in the weights that are trained; the caller disposes of it. */
function changesOf(model: Transformer, update: () => number): { lr: number; changes: tf.Tensor[] } {
  const kept = model.trainable.map((weight) => tf.mul(weight, 1)); // an update may overwrite what a clone shares
  const lr = update();
  const changes = model.trainable.map((weight, i) => tf.sub(weight, kept[i]));
  tf.dispose(kept);
  return { lr, changes };
}

async function bitsPerToken(model: Transformer, batch: Batch, training: Mode['training']): Promise<number> {
  const [nats] = await readAndDispose(tf.tidy(() => model.loss(batch, 0, { training }).nll));
  return nats / batch.targetOutput.length / Math.LN2;
}
