import { SCHEMES } from '../config/residual-schemes.js';
import type { ModelConfig } from '../config/schema.js';

export const STACKS = ['encoder', 'decoder'] as const;
export type Stack = (typeof STACKS)[number];
/** Self-attention, the decoder's attention to the encoder, and the feed-forward sublayer. */
export type SublayerKind = 'self' | 'encoder' | 'fc';

/** The sublayers of a layer, in their order. */
export const SUBLAYERS: Record<Stack, readonly SublayerKind[]> = {
  encoder: ['self', 'fc'],
  decoder: ['self', 'encoder', 'fc'],
};

/** Names one residual sublayer of the model. */
export interface Site {
  stack: Stack;
  /** From 0. */
  layer: number;
  sublayer: SublayerKind;
}

/**
 * DeepNorm's shortcut scale α and branch gain β for an encoder of N and a decoder of M layers (Wang et al., 2022,
 * table 1; as in the official code).
 */
export function deepnormConstants(
  { encoder, decoder }: ModelConfig,
  stack: Stack,
): { alpha: number; beta: number } {
  const [n, m] = [encoder.layers, decoder.layers];
  return stack === 'encoder'
    ? { alpha: 0.81 * (n ** 4 * m) ** (1 / 16), beta: 0.87 * (n ** 4 * m) ** (-1 / 16) }
    : { alpha: (3 * m) ** (1 / 4), beta: (12 * m) ** (-1 / 4) };
}

/**
 * Sub-LN's gain γ for an encoder of N and a decoder of M layers (Wang et al., 2022, "Foundation Transformers", table 2:
 * γ = √(ln 3M · ln 2N / 3) and √(ln 3M); as in torchscale).
 */
export function subLnGain({ encoder, decoder }: ModelConfig, stack: Stack): number {
  const [n, m] = [encoder.layers, decoder.layers];
  return stack === 'encoder'
    ? Math.sqrt((Math.log(3 * m) * Math.log(2 * n)) / 3)
    : Math.sqrt(Math.log(3 * m));
}

/** What the weights of a branch are multiplied by at the start: v, out, fc1 and fc2; by depth q and k, too. */
export function branchGain(config: ModelConfig, { stack, sublayer }: Omit<Site, 'layer'>): number {
  switch (SCHEMES[config.residual][stack].init) {
    case 'beta':
      return deepnormConstants(config, stack).beta;
    case 'gamma':
      return sublayer === 'encoder' ? 1 : subLnGain(config, stack);
    case 'depth':
      return config[stack].layers ** -0.5;
    default:
      return 1;
  }
}

/** Every residual sublayer of a stack, in the order of the forward pass. */
export function sitesOf(config: Pick<ModelConfig, Stack>, stack: Stack): Site[] {
  return Array.from({ length: config[stack].layers }, (_, layer) =>
    SUBLAYERS[stack].map((sublayer): Site => ({ stack, layer, sublayer })),
  ).flat();
}

/** The stacks whose sublayers have ω. */
export function omegaStacks({ residual }: Pick<ModelConfig, 'residual'>): Stack[] {
  return STACKS.filter((stack) => SCHEMES[residual][stack].shortcut === 'omega');
}

/** Prefix of the parameters of a layer, with a dot at its end. */
export function layerPrefix(stack: Stack, layer: number): string {
  return `${stack}.layers.${layer}.`;
}

/** Official name of the layer normalisation of a sublayer, without `.weight` and `.bias`. */
export function normName({ stack, layer, sublayer }: Site): string {
  const names = { self: 'self_attn_layer_norm', encoder: 'encoder_attn_layer_norm', fc: 'final_layer_norm' };
  return layerPrefix(stack, layer) + names[sublayer];
}

/** Official name of ω of a sublayer. */
export function omegaName({ stack, layer, sublayer }: Site): string {
  const names = {
    self: stack === 'encoder' ? 'attention_ratio_change' : 'self_ratio_change',
    encoder: 'encoder_ratio_change',
    fc: 'fc_ratio_change',
  };
  return layerPrefix(stack, layer) + names[sublayer];
}

/** Name of what Sub-LN normalises before the last linear map of a branch by; of no other sublayer than these two. */
export function innerNormName({ stack, layer, sublayer }: Site & { sublayer: 'self' | 'fc' }): string {
  return layerPrefix(stack, layer) + { self: 'self_attn.inner_attn_ln', fc: 'ffn_layernorm' }[sublayer];
}
