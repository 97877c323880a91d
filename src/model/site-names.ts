import type { Stack, SublayerKind } from './scheme.js';

/** Where a parameter belongs: a sublayer, a layer as a whole (ReZero's scalar), a stack, or the output projection. */
export interface ParameterPlace {
  stack: Stack;
  /** From 0; null for embeddings, the last norm of Pre-LN and the output projection. */
  layer: number | null;
  sublayer: SublayerKind | null;
}

/** Where a parameter belongs, by its official name. */
export function placeOfParameter(name: string): ParameterPlace {
  const [, stack, layer, rest] = /^(encoder|decoder)\.(?:layers\.(\d+)\.)?(.*)$/.exec(name) ?? [];
  if (stack !== 'encoder' && stack !== 'decoder') throw new Error(`'${name}' is no parameter of the model`);
  if (layer === undefined) return { stack, layer: null, sublayer: null };
  return { stack, layer: Number(layer), sublayer: sublayerOf(rest) };
}

function sublayerOf(name: string): SublayerKind | null {
  if (/^(self_attn|attention_ratio_change|self_ratio_change)/.test(name)) return 'self';
  if (/^encoder_(attn|ratio_change)/.test(name)) return 'encoder';
  return name === 'rezero_weight' ? null : 'fc';
}

const SUBLAYER_NAMES: Record<SublayerKind, string> = {
  self: 'self-attention',
  encoder: 'encoder attention',
  fc: 'feed-forward',
};

/** A place in words; layers are counted from 0, as the names of the parameters count them. */
export function describePlace({ stack, layer, sublayer }: ParameterPlace): string {
  return [
    stack,
    layer === null ? '' : ` layer ${layer}`,
    sublayer === null ? '' : `, ${SUBLAYER_NAMES[sublayer]}`,
  ].join('');
}
