import { UserError } from '../common/errors.js';
import { isPlain, SCHEMES } from '../config/residual-schemes.js';
import type { ModelConfig } from '../config/schema.js';
import { BOS, EOS, PAD, UNK } from '../data/dictionary.js';
import { FIRST_POSITION, sinusoids } from './embeddings.js';
import { embeddingName, OUTPUT_BIAS, outputName, type VocabularySizes } from './parameters.js';
import { layerPrefix, STACKS, type Stack, SUBLAYERS } from './scheme.js';
import type { WeightValues } from './transformer.js';

/**
 * Models as `MarianMTModel` of Hugging Face's transformers has them (models/marian/modeling_marian.py): Post-LN, positions
 * from a table, a bias of the logits. Its ids are Marian's: `</s>` and `<unk>` come first, `<pad>`, which starts a
 * translation, is the last; here `<s>` stands before it, since it has its share of the softmax.
 */

/** Stands for no symbol: vocabularies of both languages have to be of one size there. */
export const NO_SYMBOL = -1;
/** Added to a logit of no symbol: it gets nothing of the probability. */
const NEVER = -1e9;

const PARTS = ['q', 'k', 'v'] as const;

export interface MarianMtModel {
  /** By the names of its state dict; those that are tied are there once. */
  weights: Map<string, WeightValues>;
  /** What its config.json says of the architecture. */
  config: Record<string, unknown>;
}

/** The size of both vocabularies. */
export function marianMtSize({ source, target }: VocabularySizes): number {
  return Math.max(source, target);
}

/** Our id of each of its ids. @param own how many symbols a dictionary has @param size of its vocabulary */
export function marianMtOrder(own: number, size: number): number[] {
  const words = Array.from({ length: own - UNK - 1 }, (_, i) => UNK + 1 + i);
  return [EOS, UNK, ...words, ...new Array<number>(size - own).fill(NO_SYMBOL), BOS, PAD];
}

/**
 * @param weights those of a model of this config, by official name
 * @throws UserError for a residual scheme that it cannot compute
 */
export function marianMtModel(
  config: ModelConfig,
  weights: ReadonlyMap<string, WeightValues>,
): MarianMtModel {
  if (!STACKS.every((stack) => isPlain(SCHEMES[config.residual][stack], ['post']))) {
    throw new UserError({
      problem: `MarianMTModel computes Post-LN, found model.residual ${config.residual}`,
      hint: 'An Admin model is folded into Post-LN; `export -f onnx` writes models of every scheme.',
    });
  }
  const weight = (name: string): WeightValues => weights.get(name)!;
  const vocabulary = {
    source: weight(embeddingName(config, 'encoder')).shape[0],
    target: weight(outputName(config)).shape[0],
  };
  const size = marianMtSize(vocabulary);
  const found = new Map<string, WeightValues>();
  for (const [name, own, table] of tablesOf(config, vocabulary)) {
    found.set(name, rowsOf(weight(table), marianMtOrder(own, size)));
  }
  found.set('final_logits_bias', logitsBias(config, weight, marianMtOrder(vocabulary.target, size)));
  for (const stack of STACKS) {
    found.set(`model.${stack}.embed_positions.weight`, positionTable(config, stack, weight));
    for (let layer = 0; layer < config[stack].layers; layer++)
      for (const [name, values] of layerWeights(config, stack, layer, weight)) found.set(name, values);
  }
  return { weights: found, config: architecture(config, size) };
}

/** Its tables of embeddings: its name, symbols of the dictionary, our name. */
function tablesOf(config: ModelConfig, { source, target }: VocabularySizes): [string, number, string][] {
  if (config.shareEmbeddings === 'all')
    return [['model.shared.weight', source, embeddingName(config, 'encoder')]];
  const apart: [string, number, string][] = [
    ['model.encoder.embed_tokens.weight', source, embeddingName(config, 'encoder')],
    ['model.decoder.embed_tokens.weight', target, embeddingName(config, 'decoder')],
  ];
  return config.shareEmbeddings === 'decoder'
    ? apart
    : [...apart, ['lm_head.weight', target, outputName(config)]];
}

function rowsOf({ shape: [, width], data }: WeightValues, order: readonly number[]): WeightValues {
  const rows = new Float32Array(order.length * width);
  order.forEach((id, row) => {
    if (id !== NO_SYMBOL) rows.set(data.subarray(id * width, (id + 1) * width), row * width);
  });
  return { shape: [order.length, width], data: rows };
}

/** [1, V] */
function logitsBias(
  { outputBias }: ModelConfig,
  weight: (name: string) => WeightValues,
  order: readonly number[],
): WeightValues {
  const own = outputBias ? weight(OUTPUT_BIAS).data : undefined;
  const data = Float32Array.from(order, (id) => (id === NO_SYMBOL ? NEVER : (own?.[id] ?? 0)));
  return { shape: [1, order.length], data };
}

/**
 * Positions from 0, [max-positions, d]. A translation starts with `<pad>` there, whatever it starts with here: since
 * nothing else stands at the first position of the decoder, that has what is between the embeddings of the two.
 */
function positionTable(
  config: ModelConfig,
  stack: Stack,
  weight: (name: string) => WeightValues,
): WeightValues {
  const { maxPositions, embedDim, decoderStart, scaleEmbeddings } = config;
  const places = Int32Array.from({ length: maxPositions }, (_, i) => i);
  const data =
    config.positions === 'learned'
      ? weight(`${stack}.embed_positions.weight`).data.slice(FIRST_POSITION * embedDim)
      : sinusoids(places, { embedDim });
  if (stack === 'decoder' && decoderStart !== 'pad') {
    const table = weight(embeddingName(config, 'decoder')).data;
    const scale = scaleEmbeddings ? Math.sqrt(embedDim) : 1;
    for (let i = 0; i < embedDim; i++)
      data[i] += scale * (table[EOS * embedDim + i] - table[PAD * embedDim + i]);
  }
  return { shape: [maxPositions, embedDim], data };
}

function layerWeights(
  { embedDim: d }: ModelConfig,
  stack: Stack,
  layer: number,
  weight: (name: string) => WeightValues,
): [string, WeightValues][] {
  const [from, to] = [layerPrefix(stack, layer), `model.${layerPrefix(stack, layer)}`];
  const both = (name: string): [string, WeightValues][] =>
    ['weight', 'bias'].map((part) => [`${to}${name}.${part}`, weight(`${from}${name}.${part}`)]);
  /** q, k and v lie one below the other. */
  const inputs = (attention: string): [string, WeightValues][] =>
    PARTS.flatMap((part, i): [string, WeightValues][] => {
      const matrix = weight(`${from}${attention}.in_proj_weight`).data.slice(i * d * d, (i + 1) * d * d);
      const bias = weight(`${from}${attention}.in_proj_bias`).data.slice(i * d, (i + 1) * d);
      return [
        [`${to}${attention}.${part}_proj.weight`, { shape: [d, d], data: matrix }],
        [`${to}${attention}.${part}_proj.bias`, { shape: [d], data: bias }],
      ];
    });
  return SUBLAYERS[stack].flatMap((sublayer) =>
    sublayer === 'fc'
      ? [...both('fc1'), ...both('fc2'), ...both('final_layer_norm')]
      : [
          ...inputs(`${sublayer}_attn`),
          ...both(`${sublayer}_attn.out_proj`),
          ...both(`${sublayer}_attn_layer_norm`),
        ],
  );
}

function architecture(config: ModelConfig, size: number): Record<string, unknown> {
  const { embedDim, ffnEmbedDim, attentionHeads, encoder, decoder, shareEmbeddings } = config;
  return {
    architectures: ['MarianMTModel'],
    model_type: 'marian',
    is_encoder_decoder: true,
    vocab_size: size,
    decoder_vocab_size: size,
    share_encoder_decoder_embeddings: shareEmbeddings === 'all',
    tie_word_embeddings: shareEmbeddings !== 'none',
    d_model: embedDim,
    encoder_layers: encoder.layers,
    decoder_layers: decoder.layers,
    num_hidden_layers: encoder.layers,
    encoder_attention_heads: attentionHeads,
    decoder_attention_heads: attentionHeads,
    encoder_ffn_dim: ffnEmbedDim,
    decoder_ffn_dim: ffnEmbedDim,
    activation_function: config.activationFn,
    dropout: config.dropout,
    attention_dropout: config.attentionDropout,
    activation_dropout: config.activationDropout,
    max_position_embeddings: config.maxPositions,
    scale_embedding: config.scaleEmbeddings,
    static_position_embeddings: true,
    normalize_before: false,
    normalize_embedding: false,
    add_final_layer_norm: false,
    add_bias_logits: true,
    torch_dtype: 'float32',
    ...marianMtIds(size),
  };
}

/** Ids that its config.json and generation_config.json have. */
export function marianMtIds(size: number) {
  return { eos_token_id: 0, pad_token_id: size - 1, decoder_start_token_id: size - 1 };
}
