import type { WeightValues } from '../../src/model/transformer.js';
import {
  type Affine,
  type Matrix,
  type Norm,
  type PlainAttention,
  type PlainLayer,
  plainLogProbs,
} from '../workflows/exchange/plain-transformer.js';

/** The keys of config.json that modeling_marian.py reads. */
export interface MarianMtConfig {
  d_model: number;
  encoder_layers: number;
  decoder_layers: number;
  encoder_attention_heads: number;
  decoder_attention_heads: number;
  activation_function: string;
  scale_embedding: boolean;
  share_encoder_decoder_embeddings: boolean;
  tie_word_embeddings: boolean;
  decoder_start_token_id: number;
}

/** What torch.nn.LayerNorm has by default. */
const EPSILON = 1e-5;
const ACTIVATIONS: Record<string, (x: number) => number> = {
  relu: (x) => Math.max(0, x),
  swish: (x) => x / (1 + Math.exp(-x)),
};

/**
 * What `MarianMTModel` computes of a config and a state dict: embeddings · √d where `scale_embedding` says so, plus rows of
 * the tables of positions from 0; Post-LN; logits by the tied table or `lm_head`, plus `final_logits_bias`. Written from
 * the published code (transformers 4.5x, models/marian/modeling_marian.py), and nothing of it is shared.
 *
 * @param source ids, ending in `</s>` @param target likewise
 */
export function marianMtLogProbs(
  config: MarianMtConfig,
  weights: ReadonlyMap<string, WeightValues>,
  source: readonly number[],
  target: readonly number[],
): Matrix {
  const matrix = (name: string): Matrix => {
    const found = weights.get(name);
    if (found === undefined) throw new Error(`the state dict has no '${name}'`);
    const { shape, data } = found;
    return Array.from({ length: shape[0] }, (_, i) =>
      Array.from(data.subarray(i * shape[1], (i + 1) * shape[1])),
    );
  };
  const vector = (name: string): number[] => Array.from(weights.get(name)!.data);
  const linear = (name: string): Affine => {
    const rows = matrix(`${name}.weight`);
    return { weight: rows[0].map((_, j) => rows.map((row) => row[j])), bias: vector(`${name}.bias`) };
  };
  const norm = (name: string): Norm => ({ scale: vector(`${name}.weight`), bias: vector(`${name}.bias`) });
  const attention = (name: string): PlainAttention => ({
    q: linear(`${name}.q_proj`),
    k: linear(`${name}.k_proj`),
    v: linear(`${name}.v_proj`),
    o: linear(`${name}.out_proj`),
    norm: norm(`${name}_layer_norm`),
  });
  const stack = (name: 'encoder' | 'decoder'): PlainLayer[] =>
    Array.from({ length: config[`${name}_layers`] }, (_, layer) => {
      const prefix = `model.${name}.layers.${layer}`;
      return {
        self: attention(`${prefix}.self_attn`),
        ...(name === 'decoder' && { context: attention(`${prefix}.encoder_attn`) }),
        inner: linear(`${prefix}.fc1`),
        outer: linear(`${prefix}.fc2`),
        norm: norm(`${prefix}.final_layer_norm`),
      };
    });
  const tableOf = (name: 'encoder' | 'decoder'): Matrix =>
    matrix(
      config.share_encoder_decoder_embeddings ? 'model.shared.weight' : `model.${name}.embed_tokens.weight`,
    );
  const embedded = (name: 'encoder' | 'decoder', ids: readonly number[]): Matrix => {
    const [table, positions] = [tableOf(name), matrix(`model.${name}.embed_positions.weight`)];
    const scale = config.scale_embedding ? Math.sqrt(config.d_model) : 1;
    return ids.map((id, place) => table[id].map((value, j) => scale * value + positions[place][j]));
  };
  return plainLogProbs(
    {
      heads: config.encoder_attention_heads,
      epsilon: EPSILON,
      activation: ACTIVATIONS[config.activation_function],
      encoder: stack('encoder'),
      decoder: stack('decoder'),
      output: config.tie_word_embeddings ? tableOf('decoder') : matrix('lm_head.weight'),
      outputBias: vector('final_logits_bias'),
    },
    embedded('encoder', source),
    embedded('decoder', [config.decoder_start_token_id, ...target.slice(0, -1)]),
  );
}
