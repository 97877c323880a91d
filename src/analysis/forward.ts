import type { Batch } from '../data/batch.js';
import type { Stack } from '../model/scheme.js';
import type { Mode, Transformer } from '../model/transformer.js';
import { readAndDispose } from '../ops/reading.js';
import { tf } from '../ops/tf.js';
import { normalizedRows } from './row-statistics.js';

/** A forward pass of both stacks. @returns their outputs, each row of mean 0 and variance 1, [T · d] */
export async function forward(
  model: Transformer,
  batch: Batch,
  mode: Mode,
): Promise<Record<Stack, Float32Array>> {
  const [memory, hidden] = tf.tidy(() => {
    const pass = model.pass(mode);
    const memory = model.encode(batch.source, pass);
    return [memory, model.decode(batch.targetInput, memory, batch.source.offsets, pass)];
  });
  return { encoder: await normalizedOutput(memory), decoder: await normalizedOutput(hidden) };
}

/** A hidden state with each row of mean 0 and variance 1. @param x [T, d], disposed of */
export async function normalizedOutput(x: tf.Tensor2D): Promise<Float32Array> {
  return normalizedRows(await readAndDispose(x), x.shape[1]);
}
