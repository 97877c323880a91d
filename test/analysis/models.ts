import { RandomStream } from '../../src/common/rng.js';
import type { ModelConfig } from '../../src/config/schema.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { tinyConfig, VOCABULARY } from '../model/models.js';

/** A tiny model whose gains, biases, ω and gates are no longer those of the start, as if it were trained. */
export function movedModel(changes: Partial<ModelConfig>): Transformer {
  const model = Transformer.create(tinyConfig(changes), VOCABULARY, 1);
  const stream = new RandomStream({ seed: 5, step: 0, purpose: 6 });
  for (const weight of model.weights.values()) {
    if (weight.shape.length !== 1) continue;
    const moved = weight.dataSync().map((value) => value + 0.3 * stream.nextNormal());
    tf.tidy(() => weight.assign(tf.tensor(moved, weight.shape)));
  }
  return model;
}

/** Values of all weights, by name. */
export function valuesOf(model: Transformer): Map<string, Float32Array> {
  return new Map([...model.weights].map(([name, weight]) => [name, Float32Array.from(weight.dataSync())]));
}
