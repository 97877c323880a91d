import type { ModelConfig } from '../config/schema.js';
import { parameterSpecs, type VocabularySizes } from './parameters.js';

/** Elements of all matrices that one token of each side is multiplied with in a forward pass. */
export interface MatrixElements {
  readonly source: number;
  readonly target: number;
}

/**
 * The linear maps of a model, by the side whose tokens go through them: encoder, and keys and values of the attention
 * to it; the rest of the decoder, and the output projection. Products of attention itself, which grow with the length
 * of a sentence, are not counted. A product takes two operations an element, its gradients twice as many.
 */
export function matrixElements(config: ModelConfig, vocabulary: VocabularySizes): MatrixElements {
  const elements = { source: 0, target: vocabulary.target * config.embedDim };
  for (const { name, shape } of parameterSpecs(config, vocabulary)) {
    if (shape.length !== 2 || !name.includes('.layers.')) continue;
    const size = shape[0] * shape[1];
    const ofSource = name.startsWith('encoder.') ? 1 : sourceShare(name);
    elements.source += ofSource * size;
    elements.target += (1 - ofSource) * size;
  }
  return elements;
}

/** Of a matrix of the decoder. */
function sourceShare(name: string): number {
  if (/encoder_attn\.[kv]_proj_weight$/.test(name)) return 1;
  return name.endsWith('encoder_attn.in_proj_weight') ? 2 / 3 : 0;
}
