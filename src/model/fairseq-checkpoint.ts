import { UserError } from '../common/errors.js';
import { RESIDUALS, SCHEMES } from '../config/residual-schemes.js';
import type { ModelConfig } from '../config/schema.js';
import { STACKS } from './scheme.js';
import type { WeightValues } from './transformer.js';

/** Values of the `args` of a checkpoint of fairseq, by name. */
export type FairseqArgs = ReadonlyMap<string, unknown>;
type Weights = ReadonlyMap<string, WeightValues>;

/**
 * The `args` from which the official code builds a model (its fairseq/models/transformer.py and the translation task).
 *
 * @throws UserError for a model that it has no form for
 */
export function fairseqArgs(
  config: ModelConfig,
  sourceLang: string,
  targetLang: string,
): Record<string, string | number | boolean | null> {
  const initType = SCHEMES[config.residual].fairseq.writes;
  const refuse = (problem: string): UserError =>
    new UserError({ problem, hint: 'Export it as safetensors.' });
  if (initType === null)
    throw refuse(`the official code cannot build a model of residual ${config.residual}`);
  if (config.activationFn === 'swish') throw refuse('the official code has no activation swish');
  if (config.outputBias) throw refuse('the official code has no bias in its output projection');
  if (config.decoderStart === 'pad')
    throw refuse('the official code begins a translation with </s>, this model with <pad>');
  if (!config.scaleEmbeddings) throw refuse('the official code always scales embeddings by √embed-dim');
  const stacks = STACKS.map((stack) => ({
    [`${stack}_embed_dim`]: config.embedDim,
    [`${stack}_ffn_embed_dim`]: config.ffnEmbedDim,
    [`${stack}_attention_heads`]: config.attentionHeads,
    [`${stack}_layers`]: config[stack].layers,
    [`${stack}_normalize_before`]: SCHEMES[config.residual][stack].norm === 'pre',
    [`${stack}_learned_pos`]: config.positions === 'learned',
    [`${stack}_embed_path`]: null,
  }));
  return {
    arch: 'transformer',
    task: 'translation',
    criterion: 'label_smoothed_cross_entropy',
    source_lang: sourceLang,
    target_lang: targetLang,
    data: '.',
    left_pad_source: 'True',
    left_pad_target: 'False',
    init_type: initType,
    ...stacks[0],
    ...stacks[1],
    dropout: config.dropout,
    attention_dropout: config.attentionDropout,
    activation_dropout: config.activationDropout,
    activation_fn: config.activationFn,
    share_all_embeddings: config.shareEmbeddings === 'all',
    share_decoder_input_output_embed: config.shareEmbeddings !== 'none',
    max_source_positions: config.maxPositions,
    max_target_positions: config.maxPositions,
    fp16: false,
    no_save_optimizer_state: true,
  };
}

/**
 * The state_dict of the official code: its buffers are added, and a table that both stacks use has two names.
 */
export function fairseqState(config: ModelConfig, weights: Weights): Map<string, WeightValues> {
  const state = new Map(weights);
  const one = (value: number): WeightValues => ({ shape: [1], data: Float32Array.of(value) });
  for (const stack of STACKS) {
    state.set(`${stack}.version`, one(3));
    if (config.positions === 'sinusoidal') state.set(`${stack}.embed_positions._float_tensor`, one(0));
  }
  const shared = weights.get('encoder.embed_tokens.weight')!;
  if (config.shareEmbeddings === 'all') state.set('decoder.embed_tokens.weight', shared);
  return state;
}

/** Options of fairseq that change what a model computes, and the only value of each that there is a form for here. */
const UNSUPPORTED: readonly [name: string, only: unknown][] = [
  ['adaptive_softmax_cutoff', null],
  ['no_token_positional_embeddings', false],
  ['no_cross_attention', false],
  ['cross_self_attention', false],
  ['layer_wise_attention', false],
  ['adaptive_input', false],
  ['no_decoder_final_norm', false],
  ['layernorm_embedding', false],
  ['no_layer_norm', false],
];

/**
 * The keys of `model` that `args` of a checkpoint say; deepnmt, which is fairseq 0.9 with Admin, has `admin_init_type` in
 * place of `init_type`.
 *
 * @throws UserError naming every option without a form here
 */
export function modelFromArgs(args: FairseqArgs): Partial<ModelConfig> {
  const complaints: string[] = [];
  const expect = (valid: boolean, problem: string): void => {
    if (!valid) complaints.push(problem);
  };
  const number = (name: string): number => {
    const value = args.get(name);
    expect(typeof value === 'number' && value >= 0, `expected a number as ${name}, found ${show(value)}`);
    return Number(value);
  };
  /** What both stacks have to agree on. */
  const both = <T>(
    name: string,
    read: (name: string) => T,
    names = STACKS.map((stack) => `${stack}_${name}`),
  ): T => {
    const [first, second] = names.map(read);
    expect(
      Object.is(first, second),
      `expected equal ${names.join(' and ')}, found ${show(first)} and ${show(second)}`,
    );
    return first;
  };
  const flag = (name: string): boolean => args.get(name) === true;
  for (const [name, only] of UNSUPPORTED) {
    const value = args.get(name) ?? only;
    expect(value === only, `expected ${name} ${show(only)}, found ${show(value)}`);
  }
  const residual = residualOf(
    initTypeOf(args),
    STACKS.map((stack) => flag(`${stack}_normalize_before`)),
    expect,
  );
  const model = {
    residual,
    embedDim: both('embed_dim', number),
    ffnEmbedDim: both('ffn_embed_dim', number),
    attentionHeads: both('attention_heads', number),
    encoder: { layers: number('encoder_layers') },
    decoder: { layers: number('decoder_layers') },
    dropout: number('dropout'),
    attentionDropout: number('attention_dropout'),
    activationDropout: activationDropoutOf(args, number),
    activationFn: activationOf(args.get('activation_fn') ?? 'relu', expect),
    positions: both('learned_pos', flag) ? ('learned' as const) : ('sinusoidal' as const),
    maxPositions: both('', number, ['max_source_positions', 'max_target_positions']),
    shareEmbeddings: flag('share_all_embeddings')
      ? ('all' as const)
      : flag('share_decoder_input_output_embed')
        ? ('decoder' as const)
        : ('none' as const),
    scaleEmbeddings: !flag('no_scale_embedding'),
    outputBias: false,
    decoderStart: 'eos' as const,
    rightToLeft: false,
  };
  if (complaints.length === 0) return model;
  throw new UserError(complaints.map((problem) => ({ problem, where: 'args of the checkpoint' })));
}

/** What chooses the scheme: `init_type`, of deepnmt `admin_init_type`, or the flag of the code of B2T. */
function initTypeOf(args: FairseqArgs): unknown {
  const bottomToTop = 'residual_bottom_to_top';
  if (args.get(bottomToTop) === true) return bottomToTop;
  return args.get('init_type') ?? args.get('admin_init_type') ?? 'default';
}

/** fairseq takes `relu_dropout`, the older name, where `activation_dropout` is 0 or not there. */
function activationDropoutOf(args: FairseqArgs, number: (name: string) => number): number {
  const older = args.get('relu_dropout');
  const isOlder = !args.has('activation_dropout') || (args.get('activation_dropout') === 0 && older);
  return number(isOlder ? 'relu_dropout' : 'activation_dropout');
}

type Expect = (valid: boolean, problem: string) => void;

function residualOf(
  initType: unknown,
  normalizeBefore: readonly boolean[],
  expect: Expect,
): ModelConfig['residual'] {
  const readers = RESIDUALS.filter((name) => SCHEMES[name].fairseq.reads.some((type) => type === initType));
  const found = readers.find((name) =>
    STACKS.every((stack, i) => (SCHEMES[name][stack].norm === 'pre') === normalizeBefore[i]),
  );
  expect(readers.length > 0, `expected an init_type of the official code, found ${show(initType)}`);
  expect(
    found !== undefined || (readers.length === 0 && !normalizeBefore.includes(true)),
    initType === 'default'
      ? 'expected encoder_normalize_before False with decoder_normalize_before False, found True'
      : `expected normalize_before False with init_type ${show(initType)}, found True`,
  );
  return found ?? RESIDUALS[0];
}

function activationOf(name: unknown, expect: Expect): ModelConfig['activationFn'] {
  expect(name === 'relu' || name === 'gelu', `expected activation_fn relu or gelu, found ${show(name)}`);
  return name === 'gelu' ? 'gelu' : 'relu';
}

const show = (value: unknown): string =>
  value === undefined
    ? 'none'
    : typeof value === 'object' && value !== null
      ? 'an object'
      : String(value).slice(0, 60);
