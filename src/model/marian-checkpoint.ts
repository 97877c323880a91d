import { UserError } from '../common/errors.js';
import type { ModelConfig } from '../config/schema.js';
import type { NamedArray } from '../formats/safetensors.js';
import { FIRST_POSITION, sinusoids } from './embeddings.js';
import { OUTPUT_BIAS } from './parameters.js';
import { layerPrefix, STACKS, SUBLAYERS } from './scheme.js';

/** The options of Marian that a model holds (`special:model.yml`), by name. */
export type MarianOptions = ReadonlyMap<string, unknown>;

/** Where a model of Marian keeps its options. */
export const MARIAN_OPTIONS = 'special:model.yml';

/** Gives the tensors of a model of Marian. */
export interface MarianTensors {
  names: readonly string[];
  read(name: string): NamedArray;
}

/** Marian has `</s>` and `<unk>` first; here `<s>` and `<pad>` come before them. */
export const IDS_BEFORE = 2;
/** Log-probability, nearly, of what Marian's vocabulary does not have: far below what a float sees beside 1. */
const NEVER = -100;

type Only = string | number | boolean;

/** Options that change what a model computes, and the values of each that there is a form for here; the first where it is absent. */
const SUPPORTED: readonly [name: string, values: readonly Only[]][] = [
  ['type', ['transformer']],
  ['transformer-preprocess', ['']],
  ['transformer-postprocess', ['dan']],
  ['transformer-postprocess-emb', ['d', '']],
  ['transformer-postprocess-top', ['']],
  ['transformer-decoder-autoreg', ['self-attention']],
  ['transformer-ffn-depth', [2]],
  ['transformer-decoder-ffn-depth', [2, 0]],
  ['transformer-ffn-activation', ['relu', 'swish', 'gelu']],
  ['transformer-no-projection', [false]],
  ['transformer-no-bias', [false]],
  ['transformer-no-affine', [false]],
  ['transformer-train-position-embeddings', [false]],
  ['transformer-train-positions', [false]],
  ['transformer-disable-position-embeddings', [false]],
  ['transformer-pool', [false]],
  ['transformer-rnn-projection', [false]],
  ['right-left', [false]],
  ['ulr', [false]],
  ['output-omit-bias', [false]],
  ['lemma-dim-emb', [0]],
];

/** The keys of `model` that the options of a model of Marian say. @throws UserError naming every option without a form here */
export function modelFromMarian(options: MarianOptions, where: string): Partial<ModelConfig> {
  const complaints: string[] = [];
  const option = (name: string, otherwise?: unknown): unknown => options.get(name) ?? otherwise;
  for (const [name, values] of SUPPORTED) {
    const found = option(name, name === 'type' ? undefined : values[0]);
    if (!values.some((value) => value === found))
      complaints.push(`expected ${name} ${values.map(show).join(' or ')}, found ${show(found)}`);
  }
  const number = (name: string): number => {
    const value = option(name);
    if (typeof value !== 'number') complaints.push(`expected a number as ${name}, found ${show(value)}`);
    return Number(value);
  };
  const rate = (name: string): number => {
    const value = option(name, 0);
    return typeof value === 'number' && value >= 0 && value < 1 ? value : 0;
  };
  const inner = number('transformer-dim-ffn');
  const ofDecoder = option('transformer-decoder-dim-ffn', 0);
  if (ofDecoder !== 0 && ofDecoder !== inner)
    complaints.push(`expected transformer-decoder-dim-ffn ${inner}, found ${show(ofDecoder)}`);
  const tied = option('transformer-tied-layers', []);
  if (!Array.isArray(tied) || tied.length > 0)
    complaints.push(`expected no transformer-tied-layers, found ${show(tied)}`);
  const model: Partial<ModelConfig> = {
    residual: 'post-ln',
    embedDim: number('dim-emb'),
    ffnEmbedDim: inner,
    attentionHeads: number('transformer-heads'),
    encoder: { layers: number('enc-depth') },
    decoder: { layers: number('dec-depth') },
    dropout: rate('transformer-dropout'),
    attentionDropout: rate('transformer-dropout-attention'),
    activationDropout: rate('transformer-dropout-ffn'),
    activationFn: option('transformer-ffn-activation', 'relu') as ModelConfig['activationFn'],
    positions: 'learned',
    shareEmbeddings: sharing(options),
    scaleEmbeddings: true,
    outputBias: true,
    decoderStart: 'pad',
  };
  if (complaints.length === 0) return model;
  throw new UserError(complaints.map((problem) => ({ problem, where: `${where}: ${MARIAN_OPTIONS}` })));
}

const show = (value: unknown): string =>
  value === undefined ? 'none' : (JSON.stringify(value)?.slice(0, 60) ?? 'none');

const is = (options: MarianOptions, name: string): boolean => options.get(name) === true;

function sharing(options: MarianOptions): ModelConfig['shareEmbeddings'] {
  const source = is(options, 'tied-embeddings-src');
  const output = is(options, 'tied-embeddings');
  if (is(options, 'tied-embeddings-all') || (source && output)) return 'all';
  return output ? 'decoder' : 'none';
}

/** Marian's names of the parts of an attention, and of its layer normalisation. */
const ATTENTIONS = { self: 'self', encoder: 'context' } as const;

/**
 * The weights of a model of Marian by their official names. `</s>` and `<unk>` move behind `<s>` and `<pad>`, which are
 * zero; the sinusoids, which Marian counts from 0, become a table.
 *
 * @param config what modelFromMarian found, complete
 * @throws UserError for a tensor that is missing, of another shape, or without a place here
 */
export function marianWeights(
  tensors: MarianTensors,
  config: ModelConfig,
  where: string,
): Map<string, NamedArray> {
  const reader = new Reader(tensors, where);
  const { embedDim: d, ffnEmbedDim: inner, maxPositions, shareEmbeddings } = config;
  const weights = new Map<string, NamedArray>();
  const set = (name: string, shape: number[], data: Float32Array) => weights.set(name, { shape, data });
  const linear = (name: string, matrix: string, bias: string, from: number, to: number): void => {
    set(`${name}.weight`, [to, from], transposed(reader.matrix(matrix, from, to), from, to));
    set(`${name}.bias`, [to], reader.vector(bias, to));
  };
  const norm = (name: string, prefix: string): void => {
    set(`${name}.weight`, [d], reader.vector(`${prefix}_ln_scale`, d));
    set(`${name}.bias`, [d], reader.vector(`${prefix}_ln_bias`, d));
  };
  const attention = (name: string, prefix: string): void => {
    const parts = ['q', 'k', 'v'].map((part) => transposed(reader.matrix(`${prefix}_W${part}`, d, d), d, d));
    set(`${name}_attn.in_proj_weight`, [3 * d, d], joined(parts));
    set(
      `${name}_attn.in_proj_bias`,
      [3 * d],
      joined(['q', 'k', 'v'].map((part) => reader.vector(`${prefix}_b${part}`, d))),
    );
    linear(`${name}_attn.out_proj`, `${prefix}_Wo`, `${prefix}_bo`, d, d);
    norm(`${name}_attn_layer_norm`, `${prefix}_Wo`);
  };
  for (const stack of STACKS) {
    for (let layer = 0; layer < config[stack].layers; layer++) {
      const [to, from] = [layerPrefix(stack, layer), `${stack}_l${layer + 1}_`];
      for (const sublayer of SUBLAYERS[stack])
        if (sublayer !== 'fc') attention(`${to}${sublayer}`, from + ATTENTIONS[sublayer]);
      linear(`${to}fc1`, `${from}ffn_W1`, `${from}ffn_b1`, d, inner);
      linear(`${to}fc2`, `${from}ffn_W2`, `${from}ffn_b2`, inner, d);
      norm(`${to}final_layer_norm`, `${from}ffn_ffn`);
    }
    const positions = [maxPositions + FIRST_POSITION, d];
    set(`${stack}.embed_positions.weight`, positions, sinusoidsFromZero(maxPositions, d));
    if (stack === 'encoder' || shareEmbeddings !== 'all') {
      const table = reader.table(reader.has('Wemb') ? 'Wemb' : `${stack}_Wemb`, d);
      set(`${stack}.embed_tokens.weight`, [table.length / d, d], table);
    }
  }
  const bias = reader.vector('decoder_ff_logit_out_b');
  if (shareEmbeddings === 'none') {
    const size = bias.length;
    const table = transposed(reader.matrix('decoder_ff_logit_out_W', d, size), d, size);
    set('decoder.embed_out', [size + IDS_BEFORE, d], behindSpecials(table, d, 0));
  }
  set(OUTPUT_BIAS, [bias.length + IDS_BEFORE], behindSpecials(bias, 1, NEVER));
  reader.refuseRest();
  return weights;
}

/** Reads tensors by what they should be, and knows in the end which nobody has asked for. */
class Reader {
  private readonly tensors: MarianTensors;
  private readonly where: string;
  private readonly left: Set<string>;
  private readonly names: ReadonlySet<string>;

  constructor(tensors: MarianTensors, where: string) {
    this.tensors = tensors;
    this.where = where;
    this.names = new Set(tensors.names);
    this.left = new Set(tensors.names);
    this.left.delete(MARIAN_OPTIONS);
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  /** [rows, columns] */
  matrix(name: string, rows: number, columns: number): Float32Array {
    const { shape, data } = this.read(name, `of shape [${rows},${columns}]`);
    if (String(shape) !== String([rows, columns])) throw this.misshapen(name, `[${rows},${columns}]`, shape);
    return data;
  }

  /** [1, size], or [size] */
  vector(name: string, size?: number): Float32Array {
    const wanted = `[1,${size ?? 'V'}]`;
    const { shape, data } = this.read(name, `of shape ${wanted}`);
    const flat = shape.filter((axis) => axis !== 1).length <= 1;
    if (!flat || (size !== undefined && data.length !== size)) throw this.misshapen(name, wanted, shape);
    return data;
  }

  /** A table of embeddings, [V, d] → [2 + V, d] */
  table(name: string, d: number): Float32Array {
    const { shape, data } = this.read(name, `of shape [V,${d}]`);
    if (shape.length !== 2 || shape[1] !== d) throw this.misshapen(name, `[V,${d}]`, shape);
    return behindSpecials(data, d, 0);
  }

  refuseRest(): void {
    for (const name of this.left) throw this.refuse(`found a tensor '${name}' that this model does not have`);
  }

  private read(name: string, what: string): NamedArray {
    if (!this.names.has(name)) throw this.refuse(`expected a tensor '${name}' ${what}, found none`);
    this.left.delete(name);
    return this.tensors.read(name);
  }

  private misshapen(name: string, expected: string, shape: readonly number[]): UserError {
    return this.refuse(`expected '${name}' of shape ${expected}, found [${shape}]`);
  }

  private refuse(problem: string): UserError {
    return new UserError({
      problem,
      where: this.where,
      hint: 'It is no Transformer of the form that its options tell; see docs/export.md for what can be imported.',
    });
  }
}

function behindSpecials(values: Float32Array, width: number, filling: number): Float32Array {
  const moved = new Float32Array(values.length + IDS_BEFORE * width).fill(filling);
  moved.set(values, IDS_BEFORE * width);
  return moved;
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column];
  return result;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((place, part) => {
    result.set(part, place);
    return place + part.length;
  }, 0);
  return result;
}

/** Marian's sinusoids, which are those of this program counted from 0, as a table of positions. */
function sinusoidsFromZero(length: number, width: number): Float32Array {
  const places = Int32Array.from({ length }, (_, position) => position - FIRST_POSITION);
  const table = new Float32Array((length + FIRST_POSITION) * width);
  table.set(sinusoids(places, { embedDim: width }), FIRST_POSITION * width);
  return table;
}
