import type { DecodingPrecision } from '../common/precision.js';
import { reduceWeights, restoreWeights } from '../formats/reduced-weights.js';
import { Transformer, type WeightValues } from '../model/transformer.js';

/**
 * A model of its own with the weights that translating in a precision takes: what `loadModel` makes of a checkpoint of it.
 * Weights that are not all finite, as those of a training that went wrong, stay as they are. The caller disposes of it.
 */
export async function roundedModel(model: Transformer, precision: DecodingPrecision): Promise<Transformer> {
  const weights = new Map<string, WeightValues & { data: Float32Array }>();
  for (const [name, weight] of model.weights)
    weights.set(name, { shape: weight.shape, data: (await weight.data()) as Float32Array });
  const finite = new Map([...weights].filter(([, { data }]) => data.every(Number.isFinite)));
  const rounded = restoreWeights(reduceWeights(finite, precision), 'the model in training');
  return Transformer.fromWeights(model.config, model.vocabulary, new Map([...weights, ...rounded]));
}
