import { UserError } from '../common/errors.js';
import { Purpose, RandomStream } from '../common/rng.js';
import { SCHEMES, type Scheme } from '../config/residual-schemes.js';
import type { ModelConfig } from '../config/schema.js';
import { frozenNames } from './freeze.js';
import {
  branchGain,
  innerNormName,
  layerPrefix,
  normName,
  omegaName,
  type Site,
  STACKS,
  type Stack,
  SUBLAYERS,
  sitesOf,
} from './scheme.js';

/** Id of `<pad>`: its embedding stays zero, and positions start after it. */
export const PADDING_INDEX = 1;

/** Name of the bias of the output projection, where there is one: the official code has none. */
export const OUTPUT_BIAS = 'decoder.output_bias';

export interface VocabularySizes {
  source: number;
  target: number;
}

/** How a parameter is initialised; `bound` and `deviation` follow PyTorch's Xavier formulas. */
export type Init =
  | { kind: 'constant'; value: number }
  | { kind: 'uniform'; bound: number }
  | { kind: 'normal'; deviation: number; zeroRow?: number }
  /** Xavier uniform of the first half; the second half is its negative, along the given axis (look-linear). */
  | { kind: 'mirrored'; bound: number; axis: 0 | 1 };

export interface ParameterSpec {
  /** The official name. */
  name: string;
  shape: number[];
  init: Init;
}

/**
 * Every parameter of a model, in the order of the forward pass: names and shapes of the official code
 * (fairseq/models/transformer.py, modules/transformer_layer.py, modules/multihead_attention.py), and its
 * initialisation.
 */
export function parameterSpecs(config: ModelConfig, vocabulary: VocabularySizes): ParameterSpec[] {
  return [
    ...embeddings(config, vocabulary, 'encoder'),
    ...stackParameters(config, 'encoder'),
    ...embeddings(config, vocabulary, 'decoder'),
    ...stackParameters(config, 'decoder'),
    ...(config.shareEmbeddings === 'none' ? [table('decoder.embed_out', vocabulary.target, config)] : []),
    ...(config.outputBias ? [constant(OUTPUT_BIAS, [vocabulary.target], 0)] : []),
  ];
}

/**
 * Names of the parameters that are not trained: ω where it is constant, and those that are frozen.
 *
 * @param freeze patterns, see frozenNames
 */
export function constantNames(
  config: ModelConfig,
  vocabulary: VocabularySizes,
  freeze: readonly string[] = [],
): Set<string> {
  const sites = config.omega.train ? [] : [...sitesOf(config, 'encoder'), ...sitesOf(config, 'decoder')];
  const omegas = sites.map(omegaName);
  if (freeze.length === 0) return new Set(omegas);
  const names = parameterSpecs(config, vocabulary).map(({ name }) => name);
  const constant = new Set([...omegas, ...frozenNames(names, freeze)]);
  if (names.some((name) => !constant.has(name))) return constant;
  throw new UserError({
    problem: 'expected some weights to train, found that all are frozen',
    where: 'train.freeze',
    hint: 'Leave some out of it; `admin-nmt translate` uses a model as it is.',
  });
}

/** Name of the embedding table of a stack. */
export function embeddingName(config: ModelConfig, stack: Stack): string {
  return config.shareEmbeddings === 'all' ? 'encoder.embed_tokens.weight' : `${stack}.embed_tokens.weight`;
}

/** Names of what rows are read of one by one: embeddings of tokens and of positions. */
export function tableNames(config: ModelConfig): Set<string> {
  const names = STACKS.map((stack) => [embeddingName(config, stack), `${stack}.embed_positions.weight`]);
  return new Set(names.flat());
}

/** Name of the output projection. */
export function outputName(config: ModelConfig): string {
  return config.shareEmbeddings === 'none' ? 'decoder.embed_out' : embeddingName(config, 'decoder');
}

function table(name: string, rows: number, { embedDim }: ModelConfig, zeroRow?: number): ParameterSpec {
  return { name, shape: [rows, embedDim], init: { kind: 'normal', deviation: embedDim ** -0.5, zeroRow } };
}

function embeddings(config: ModelConfig, vocabulary: VocabularySizes, stack: Stack): ParameterSpec[] {
  const specs: ParameterSpec[] = [];
  if (stack === 'encoder' || config.shareEmbeddings !== 'all') {
    const size = stack === 'encoder' ? vocabulary.source : vocabulary.target;
    specs.push(table(`${stack}.embed_tokens.weight`, size, config, PADDING_INDEX));
  }
  if (config.positions === 'learned') {
    const rows = config.maxPositions + PADDING_INDEX + 1;
    specs.push(table(`${stack}.embed_positions.weight`, rows, config, PADDING_INDEX));
  }
  return specs;
}

function stackParameters(config: ModelConfig, stack: Stack): ParameterSpec[] {
  const specs = Array.from({ length: config[stack].layers }, (_, layer) =>
    layerParameters(config, stack, layer),
  ).flat();
  if (SCHEMES[config.residual][stack].norm === 'pre')
    specs.push(...layerNormParameters(`${stack}.layer_norm`, config.embedDim));
  return specs;
}

function layerParameters(config: ModelConfig, stack: Stack, layer: number): ParameterSpec[] {
  const scheme = SCHEMES[config.residual][stack];
  const prefix = layerPrefix(stack, layer);
  const specs = SUBLAYERS[stack].flatMap((sublayer) => {
    const site = { stack, layer, sublayer };
    return [
      ...(sublayer === 'fc' ? feedForwardParameters(config, site) : attentionParameters(config, site)),
      ...innerNormParameters(config, site),
      ...(scheme.shortcut === 'omega' ? [constant(omegaName(site), [config.embedDim], 1)] : []),
      ...(scheme.norm === 'none' ? [] : layerNormParameters(normName(site), config.embedDim)),
    ];
  });
  if (scheme.gate) specs.push(constant(`${prefix}rezero_weight`, [1], 0));
  return specs;
}

function innerNormParameters(config: ModelConfig, { stack, layer, sublayer }: Site): ParameterSpec[] {
  if (!SCHEMES[config.residual][stack].innerNorm || sublayer === 'encoder') return [];
  const width = sublayer === 'fc' ? config.ffnEmbedDim : config.embedDim;
  return layerNormParameters(innerNormName({ stack, layer, sublayer }), width);
}

function attentionParameters(config: ModelConfig, site: Site): ParameterSpec[] {
  const { stack, layer, sublayer } = site;
  const d = config.embedDim;
  const prefix = `${layerPrefix(stack, layer)}${sublayer}_attn.`;
  const { fusedProjections, init } = SCHEMES[config.residual][stack];
  const gain = branchGain(config, site);
  const projections = fusedProjections
    ? [matrix(`${prefix}in_proj_weight`, 3 * d, d, 'uniform', init === 'depth' ? gain : 1)]
    : [
        matrix(`${prefix}q_proj_weight`, d, d, 'normal', 1),
        matrix(`${prefix}k_proj_weight`, d, d, 'normal', 1),
        matrix(`${prefix}v_proj_weight`, d, d, 'normal', gain),
      ];
  return [
    ...projections,
    constant(`${prefix}in_proj_bias`, [3 * d], 0),
    matrix(`${prefix}out_proj.weight`, d, d, distributionOf(init), gain),
    constant(`${prefix}out_proj.bias`, [d], 0),
  ];
}

function feedForwardParameters(config: ModelConfig, site: Site): ParameterSpec[] {
  const [d, ffn] = [config.embedDim, config.ffnEmbedDim];
  const prefix = layerPrefix(site.stack, site.layer);
  const { init } = SCHEMES[config.residual][site.stack];
  const gain = branchGain(config, site);
  const bound = Math.sqrt(6 / (d + ffn));
  const weight = (name: string, rows: number, columns: number, axis: 0 | 1): ParameterSpec =>
    init === 'mirrored'
      ? { name: prefix + name, shape: [rows, columns], init: { kind: 'mirrored', bound, axis } }
      : matrix(prefix + name, rows, columns, distributionOf(init), gain);
  return [
    weight('fc1.weight', ffn, d, 0),
    constant(`${prefix}fc1.bias`, [ffn], 0),
    weight('fc2.weight', d, ffn, 1),
    constant(`${prefix}fc2.bias`, [d], 0),
  ];
}

/** DeepNorm and Sub-LN draw from Xavier's normal distribution. */
function distributionOf(init: Scheme['init']): 'normal' | 'uniform' {
  return init === 'beta' || init === 'gamma' ? 'normal' : 'uniform';
}

function layerNormParameters(name: string, width: number): ParameterSpec[] {
  return [constant(`${name}.weight`, [width], 1), constant(`${name}.bias`, [width], 0)];
}

function constant(name: string, shape: number[], value: number): ParameterSpec {
  return { name, shape, init: { kind: 'constant', value } };
}

/** A matrix under Xavier initialisation: uniform in ±gain·√(6/(in+out)), or normal with gain·√(2/(in+out)). */
function matrix(
  name: string,
  rows: number,
  columns: number,
  kind: 'uniform' | 'normal',
  gain: number,
): ParameterSpec {
  const fans = rows + columns;
  const init: Init =
    kind === 'uniform'
      ? { kind, bound: gain * Math.sqrt(6 / fans) }
      : { kind, deviation: gain * Math.sqrt(2 / fans) };
  return { name, shape: [rows, columns], init };
}

/**
 * Initial values of a parameter: a function of (seed, place among the specs), so they are the same on every
 * backend.
 */
export function initialValues({ shape, init }: ParameterSpec, place: number, seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  const stream = new RandomStream({ seed, step: 0, purpose: Purpose.init, site: place });
  const columns = shape[shape.length - 1];
  switch (init.kind) {
    case 'constant':
      return values.fill(init.value);
    case 'uniform':
      return values.map(() => (2 * stream.nextUniform() - 1) * init.bound);
    case 'normal':
      for (let i = 0; i < values.length; i++) values[i] = stream.nextNormal() * init.deviation;
      if (init.zeroRow !== undefined) values.fill(0, init.zeroRow * columns, (init.zeroRow + 1) * columns);
      return values;
    case 'mirrored':
      for (let i = 0; i < values.length; i++) values[i] = (2 * stream.nextUniform() - 1) * init.bound;
      return mirror(values, shape[0], columns, init.axis);
  }
}

/** Makes the second half along an axis the negative of the first: the two cancel, and a ReLU layer starts linear. */
function mirror(values: Float32Array, rows: number, columns: number, axis: 0 | 1): Float32Array {
  const half = Math.floor((axis === 0 ? rows : columns) / 2);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [r, c] = axis === 0 ? [row - half, column] : [row, column - half];
      if (r >= 0 && c >= 0 && (axis === 0 ? r : c) < half)
        values[row * columns + column] = -values[r * columns + c];
    }
  }
  return values;
}
