import * as path from 'node:path';
import { expectedSum } from '../common/checksums.js';
import { checkFinite } from './finite.js';
import { restoreWeights } from './reduced-weights.js';
import { type NamedArray, readSafetensors, type StoredArray, scanStored } from './safetensors.js';

/**
 * Reads weights, or moments of an optimizer, to compute with: a safetensors file that is what the checksums of its folder
 * say, if there are any, and in which every number is finite.
 *
 * @throws DamageError for any other
 */
export function readWeights(folder: string, name: string): Map<string, NamedArray> {
  const file = path.join(folder, name);
  const { tensors } = readSafetensors(file, expectedSum(folder, name));
  for (const [tensor, { data }] of tensors) checkFinite(data, tensor, file);
  return tensors;
}

/** As readWeights, also of a file of fewer bits (export --precision): what its weights stand for. */
export function readReducedWeights(folder: string, name: string): Map<string, NamedArray> {
  const file = path.join(folder, name);
  const stored = new Map<string, StoredArray>();
  scanStored(file, expectedSum(folder, name), (tensor, array) => stored.set(tensor, array));
  const tensors = restoreWeights(stored, file);
  for (const [tensor, { data }] of tensors) checkFinite(data, tensor, file);
  return tensors;
}
