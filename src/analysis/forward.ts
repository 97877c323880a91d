import type { Batch } from '../data/batch.js';
import type { Stack } from '../model/scheme.js';
import type { Mode, Transformer } from '../model/transformer.js';
import { tf } from '../ops/tf.js';
import { normalizedRows } from './row-statistics.js';

/** A forward pass of both stacks. @returns their outputs, each row of mean 0 and variance 1, [T · d] */
export function forward(model: Transformer, batch: Batch, mode: Mode): Record<Stack, Float32Array> {
  const [memory, hidden] = tf.tidy(() => {
    const pass = model.pass(mode);
    const memory = model.encode(batch.source, pass);
    return [memory, model.decode(batch.targetInput, memory, batch.source.offsets, pass)];
  });
  const outputs = { encoder: normalizedOutput(memory), decoder: normalizedOutput(hidden) };
  tf.dispose([memory, hidden]);
  return outputs;
}

/** A hidden state with each row of mean 0 and variance 1. @param x [T, d] */
export function normalizedOutput(x: tf.Tensor2D): Float32Array {
  return normalizedRows(x.dataSync<'float32'>(), x.shape[1]);
}
