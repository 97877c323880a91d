import type { SublayerKind } from './scheme.js';

const NAMES = { self: 'self-attention', encoder: 'encoder-attention' };

/**
 * The matrices of a sublayer, by what they are called, with their official names in the layer; q, k and v lie in one
 * or in three.
 */
export function matricesOf(sublayer: SublayerKind): [part: string, names: string[]][] {
  if (sublayer === 'fc') return ['fc1', 'fc2'].map((name) => [`feed-forward ${name}`, [`${name}.weight`]]);
  const prefix = `${sublayer}_attn.`;
  return [
    [`${NAMES[sublayer]} q, k, v`, ['in', 'q', 'k', 'v'].map((name) => `${prefix}${name}_proj_weight`)],
    [`${NAMES[sublayer]} out`, [`${prefix}out_proj.weight`]],
  ];
}
