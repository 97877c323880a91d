import { UserError } from '../common/errors.js';
import { type AllowedMemory, allowedMemory, formatMemory } from '../common/memory-limit.js';
import type { ModelConfig } from '../config/schema.js';
import { parameterSpecs, type VocabularySizes } from './parameters.js';

/** Weights, their gradients, and the two moments of the optimizer. */
export const TRAINING_COPIES = 4;

/**
 * Checks that there is memory for a model, before any of it is taken.
 *
 * @param copies of its weights that are there at a time
 * @throws UserError with both figures
 */
export function checkModelMemory(
  config: ModelConfig,
  vocabulary: VocabularySizes,
  copies = 1,
  allowed: AllowedMemory = allowedMemory(),
): void {
  const sizes = parameterSpecs(config, vocabulary).map(({ shape }) =>
    shape.reduce((product, axis) => product * axis, 1),
  );
  const numbers = sizes.reduce((sum, size) => sum + size, 0);
  const bytes = 4 * numbers * copies;
  if (bytes <= allowed.bytes) return;
  const taken = copies === 1 ? '' : ` with gradients and moments of the optimizer, ${copies} times its size`;
  throw new UserError({
    problem: `expected a model that fits into ${formatMemory(allowed.bytes)} (${allowed.source}); found one of ${numbers.toLocaleString('en')} weights, which takes ${formatMemory(bytes)}${taken}`,
    where: 'model',
    hint: 'Make it smaller: model.embed-dim, model.ffn-embed-dim, the layers, or the vocabulary.',
  });
}
