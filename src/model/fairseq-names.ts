import { SCHEMES } from '../config/residual-schemes.js';
import type { ModelConfig } from '../config/schema.js';
import { layerPrefix, STACKS, SUBLAYERS } from './scheme.js';
import type { WeightValues } from './transformer.js';

/** Buffers of fairseq that are no weights. */
const BUFFER = /^(encoder|decoder)\.(version|embed_positions\.(_float_tensor|weights))$/;

/** fairseq ≥ 0.10 has the output projection under this name, also where it is tied. */
const OUTPUT_PROJECTION = 'decoder.output_projection.weight';

/** The names in a state_dict of fairseq that are weights of a model here, under the names that they have there. */
export function weightNames(config: Pick<ModelConfig, 'shareEmbeddings'>, names: Iterable<string>): string[] {
  const { shareEmbeddings } = config;
  const again = new Set<string>();
  if (shareEmbeddings === 'all') again.add('decoder.embed_tokens.weight');
  if (shareEmbeddings !== 'none') again.add(OUTPUT_PROJECTION);
  return [...names].filter((name) => !BUFFER.test(name) && !again.has(name));
}

/**
 * Weights of a state_dict under the names that they have here: fairseq ≥ 0.9 keeps q, k and v of an attention as three
 * linear maps (`q_proj.weight`, `q_proj.bias`, …), the official code and this program as one, in this order. What lacks a
 * part stays as it is, for whoever checks names.
 *
 * @param weights by the names of the state_dict; no array is changed
 */
export function ownNames<T extends WeightValues>(
  config: Pick<ModelConfig, 'residual' | 'encoder' | 'decoder'>,
  weights: ReadonlyMap<string, T>,
): Map<string, T> {
  const own = new Map(weights);
  const take = (names: readonly string[], put: (parts: T[]) => void): void => {
    const parts = names.map((name) => own.get(name));
    if (!parts.every((part): part is T => part !== undefined)) return;
    for (const name of names) own.delete(name);
    put(parts);
  };
  take([OUTPUT_PROJECTION], ([output]) => own.set('decoder.embed_out', output));
  for (const stack of STACKS) {
    const { fusedProjections } = SCHEMES[config.residual][stack];
    for (let layer = 0; layer < config[stack].layers; layer++) {
      for (const sublayer of SUBLAYERS[stack].filter((kind) => kind !== 'fc')) {
        const prefix = `${layerPrefix(stack, layer)}${sublayer}_attn.`;
        const maps = ['q', 'k', 'v'].map((letter) => `${prefix}${letter}_proj`);
        take(
          maps.map((map) => `${map}.bias`),
          (parts) => own.set(`${prefix}in_proj_bias`, stacked(parts)),
        );
        take(
          maps.map((map) => `${map}.weight`),
          (parts) => {
            if (fusedProjections) own.set(`${prefix}in_proj_weight`, stacked(parts));
            else for (const [i, part] of parts.entries()) own.set(`${maps[i]}_weight`, part);
          },
        );
      }
    }
  }
  return own;
}

/** Matrices one below the other, or vectors one after another. */
function stacked<T extends WeightValues>(parts: readonly T[]): T {
  const rows = parts.reduce((sum, { shape }) => sum + shape[0], 0);
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let place = 0;
  for (const part of parts) {
    data.set(part.data, place);
    place += part.data.length;
  }
  return { ...parts[0], shape: [rows, ...parts[0].shape.slice(1)], data };
}
