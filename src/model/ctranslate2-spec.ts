import { UserError } from '../common/errors.js';
import { isPlain, SCHEMES } from '../config/residual-schemes.js';
import type { ModelConfig } from '../config/schema.js';
import type { Ctranslate2Model, Ctranslate2Variable } from '../formats/ctranslate2.js';
import { FIRST_POSITION, sinusoids } from './embeddings.js';
import { embeddingName, OUTPUT_BIAS, outputName } from './parameters.js';
import { layerPrefix, STACKS, type Stack } from './scheme.js';
import type { WeightValues } from './transformer.js';

type Variables = [name: string, variable: Ctranslate2Variable][];
type WeightsByName = (name: string) => WeightValues;

/** The TransformerSpec that is written; what it holds is in CTranslate2's specs/transformer_spec.py. */
const SPECIFICATION = { specification: 'TransformerSpec', revision: 7 };
/** Its numbers of activation functions (specs/common_spec.py); its GELU is the exact one, as ours. */
const ACTIVATIONS: Record<ModelConfig['activationFn'], number> = { relu: 0, swish: 2, gelu: 3 };

/**
 * A model as CTranslate2 has it (TransformerSpec; its converters/fairseq.py does the same for models of fairseq).
 * Weights that are tied are named twice and written once.
 *
 * @param weights those of a model of this config, by official name
 * @throws UserError for a residual scheme that CTranslate2 cannot compute
 */
export function ctranslate2Model(
  config: ModelConfig,
  weights: ReadonlyMap<string, WeightValues>,
): Ctranslate2Model {
  const schemes = SCHEMES[config.residual];
  if (!STACKS.every((stack) => isPlain(schemes[stack], ['post', 'pre']))) {
    throw new UserError({
      problem: `CTranslate2 computes Post-LN and Pre-LN, found model.residual ${config.residual}`,
      hint: 'An Admin model is folded into Post-LN; the other schemes have no such form.',
    });
  }
  const weight: WeightsByName = (name) => weights.get(name)!;
  const positions = config.positions === 'sinusoidal' ? sinusoidVariable(config) : undefined;
  const variables = STACKS.flatMap((stack): Variables => {
    const table = positions ?? afterPadding(weight(`${stack}.embed_positions.weight`));
    return [
      ...settings(config, stack),
      [`${stack}/position_encodings/encodings`, table],
      ...(schemes[stack].norm === 'pre'
        ? layerNorm(weight, `${stack}/layer_norm`, `${stack}.layer_norm`)
        : []),
      ...Array.from({ length: config[stack].layers }, (_, layer) =>
        layerVariables(config, stack, layer, weight),
      ).flat(),
    ];
  });
  return {
    ...SPECIFICATION,
    variables: new Map([
      ...variables,
      ['encoder/embeddings_0/weight', weight(embeddingName(config, 'encoder'))],
      ['decoder/embeddings/weight', weight(embeddingName(config, 'decoder'))],
      ['decoder/projection/weight', weight(outputName(config))],
      ...(config.outputBias ? ([['decoder/projection/bias', weight(OUTPUT_BIAS)]] as Variables) : []),
    ]),
  };
}

/** What CTranslate2 keeps beside the weights of a stack. */
function settings(config: ModelConfig, stack: Stack): Variables {
  const int8 = (value: number): Ctranslate2Variable => ({ shape: [], data: Int8Array.of(value) });
  const int16 = (value: number): Ctranslate2Variable => ({ shape: [], data: Int16Array.of(value) });
  const scale = config.scaleEmbeddings ? Math.sqrt(config.embedDim) : 1;
  const common: Record<string, Ctranslate2Variable> = {
    num_heads: int16(config.attentionHeads),
    pre_norm: int8(Number(SCHEMES[config.residual][stack].norm === 'pre')),
    activation: int8(ACTIVATIONS[config.activationFn]),
    scale_embeddings: { shape: [], data: Float32Array.of(scale) },
  };
  const own: Record<Stack, Record<string, Ctranslate2Variable>> = {
    encoder: { embeddings_merge: int8(0), multi_query_attention: int8(0) },
    decoder: {
      alignment_layer: int16(-1), // the last one
      alignment_heads: int16(0), // all of them
      alibi: int8(0),
      alibi_use_positive_positions: int8(0),
      scale_alibi: int8(0),
      start_from_zero_embedding: int8(0),
    },
  };
  return Object.entries({ ...common, ...own[stack] }).map(([name, value]) => [`${stack}/${name}`, value]);
}

function layerVariables(
  { embedDim }: ModelConfig,
  stack: Stack,
  layer: number,
  weight: WeightsByName,
): Variables {
  const [from, to] = [layerPrefix(stack, layer), `${stack}/layer_${layer}/`];
  const linear = (name: string, official: string): Variables => [
    [`${to}${name}/weight`, weight(`${from}${official}.weight`)],
    [`${to}${name}/bias`, weight(`${from}${official}.bias`)],
  ];
  /** Some of the rows of q, k and v, which lie one below the other. */
  const projections = (name: string, attention: string, first: number, end: number): Variables => {
    const rows = (part: string) =>
      rowsOf(weight(`${from}${attention}.in_proj_${part}`), first * embedDim, end * embedDim);
    return [
      [`${to}${name}/weight`, rows('weight')],
      [`${to}${name}/bias`, rows('bias')],
    ];
  };
  const ofEncoderAttention = (): Variables => [
    ...layerNorm(weight, `${to}attention/layer_norm`, `${from}encoder_attn_layer_norm`),
    ...projections('attention/linear_0', 'encoder_attn', 0, 1),
    ...projections('attention/linear_1', 'encoder_attn', 1, 3),
    ...linear('attention/linear_2', 'encoder_attn.out_proj'),
  ];
  return [
    ...layerNorm(weight, `${to}self_attention/layer_norm`, `${from}self_attn_layer_norm`),
    ...projections('self_attention/linear_0', 'self_attn', 0, 3),
    ...linear('self_attention/linear_1', 'self_attn.out_proj'),
    ...(stack === 'decoder' ? ofEncoderAttention() : []),
    ...layerNorm(weight, `${to}ffn/layer_norm`, `${from}final_layer_norm`),
    ...linear('ffn/linear_0', 'fc1'),
    ...linear('ffn/linear_1', 'fc2'),
  ];
}

function layerNorm(weight: WeightsByName, name: string, official: string): Variables {
  return [
    [`${name}/gamma`, weight(`${official}.weight`)],
    [`${name}/beta`, weight(`${official}.bias`)],
  ];
}

/** A view of some rows of a matrix, or some numbers of a vector. */
function rowsOf({ shape: [, ...row], data }: WeightValues, first: number, end: number): Ctranslate2Variable {
  const width = row.reduce((product, size) => product * size, 1);
  return { shape: [end - first, ...row], data: data.subarray(first * width, end * width) };
}

/** Positions as CTranslate2 counts them, from 0. */
function afterPadding(table: WeightValues): Ctranslate2Variable {
  return rowsOf(table, FIRST_POSITION, table.shape[0]);
}

/** The sinusoids of this program: CTranslate2's own begin one position earlier. */
function sinusoidVariable({ maxPositions, embedDim }: ModelConfig): Ctranslate2Variable {
  const places = Int32Array.from({ length: maxPositions }, (_, i) => i);
  return { shape: [maxPositions, embedDim], data: sinusoids(places, { embedDim }) };
}

/** The text of CTranslate2's config.json: sentences end in `</s>`, which also starts a translation, or `<pad>` does. */
export function ctranslate2Config({ decoderStart }: Pick<ModelConfig, 'decoderStart'>): string {
  const config = {
    add_source_bos: false,
    add_source_eos: true,
    bos_token: '<s>',
    decoder_start_token: decoderStart === 'pad' ? '<blank>' : '</s>',
    eos_token: '</s>',
    layer_norm_epsilon: null, // 1e-5, as everywhere here
    multi_query_attention: false,
    unk_token: '<unk>',
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
