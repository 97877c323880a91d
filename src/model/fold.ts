import { type Complaint, UserError } from '../common/errors.js';
import { SCHEMES, type Scheme, withoutOmega } from '../config/residual-schemes.js';
import type { ModelConfig } from '../config/schema.js';
import { FIRST_POSITION, sinusoids } from './embeddings.js';
import { embeddingName, outputName, parameterSpecs } from './parameters.js';
import {
  layerPrefix,
  normName,
  omegaName,
  omegaStacks,
  type Site,
  STACKS,
  type Stack,
  sitesOf,
} from './scheme.js';
import type { WeightValues } from './transformer.js';

type Weights = ReadonlyMap<string, WeightValues>;

/** What is called near zero: numbers of a column that is divided by it are far larger than those beside it. */
const NEAR_ZERO = 1e-3;
/** Below it, products with ω and quotients leave the range of 32-bit floats. */
const LEAST = 2 ** -64;

/** An ω that comes near zero. */
export interface SmallOmega {
  /** Its official name. */
  name: string;
  /** How many of its components are below 0.001 in size. */
  components: number;
  /** The least size. */
  least: number;
}

export interface FoldedModel {
  config: ModelConfig;
  weights: Map<string, WeightValues>;
  /** They cost nothing in 32-bit floats, but formats of few bits lose precision there. */
  small: SmallOmega[];
}

/**
 * Rewrites an Admin model, `LN(x·ω + f(x))`, as a Post-LN model, `LN(x' + f'(x'))`, of the same function. What a
 * sublayer reads becomes x' = x·ω: its ω goes into gain and bias of the layer normalisation before it, and 1/ω into
 * the columns of its branch that read x. The first sublayer of a stack has no layer normalisation before it: its ω
 * goes into embeddings and positions (where it is not 1 throughout), so the output projection is tied to them no
 * longer and positions are a table. The last layer normalisation of a stack stays as it is: no ω comes after it.
 *
 * Every number is scaled once at most, in double precision, and rounded once. No given array is changed.
 *
 * @param weights those of a model of this config, by official name
 * @throws UserError for a model without ω or one where nothing can take it in, and for an ω that is zero somewhere: x·0 + f(x) has lost what f reads
 */
export function foldOmega(config: ModelConfig, weights: Weights): FoldedModel {
  const stacks = omegaStacks(config);
  const residual = withoutOmega(config.residual);
  if (stacks.length === 0) {
    throw new UserError({
      problem: `expected an Admin model to fold, found one with model.residual ${config.residual}, which has no ω`,
      hint: 'Use it as it is.',
    });
  }
  if (residual === undefined || !stacks.every((stack) => isFoldable(SCHEMES[config.residual][stack]))) {
    throw new UserError({
      problem: `expected a model whose ω can be folded into other weights, found model.residual ${config.residual}`,
      hint: 'That needs Post-LN with one matrix for q, k and v where ω is, and a scheme that is the same without it.',
    });
  }
  const names = stacks.flatMap((stack) => sitesOf(config, stack).map(omegaName));
  const complaints = names.flatMap((name) => complaintAbout(name, weights.get(name)!.data));
  if (complaints.length > 0) throw new UserError(complaints);
  const folded = new Map(weights);
  for (const stack of stacks) foldStack(config, stack, weights, folded);
  const foldedConfig = { ...foldInputs(config, weights, folded), residual };
  const vocabulary = {
    source: weights.get(embeddingName(config, 'encoder'))!.shape[0],
    target: weights.get(outputName(config))!.shape[0],
  };
  const ordered = parameterSpecs(foldedConfig, vocabulary).map(({ name }) => name);
  return {
    config: foldedConfig,
    weights: new Map(ordered.map((name) => [name, checkFinite(name, folded.get(name)!)])),
    small: names.flatMap((name) => smallOf(name, weights.get(name)!.data)),
  };
}

/** Whether x·ω is what a layer normalisation gives and a branch reads, so that both can take ω in. */
function isFoldable({ norm, fusedProjections, layerInput }: Scheme): boolean {
  return norm === 'post' && fusedProjections && !layerInput;
}

/** Folds the ω of a stack into its layers: the layer normalisations before, and the branches. */
function foldStack(
  config: ModelConfig,
  stack: Stack,
  weights: Weights,
  folded: Map<string, WeightValues>,
): void {
  sitesOf(config, stack).forEach((site, i, sites) => {
    const omega = weights.get(omegaName(site))!.data;
    if (i > 0) {
      for (const part of ['weight', 'bias']) {
        const name = `${normName(sites[i - 1])}.${part}`;
        folded.set(name, timesOmega(weights.get(name)!, omega));
      }
    }
    const { name, rows } = readerOf(site, config);
    folded.set(
      name,
      scaleColumns(weights.get(name)!, omega, (value, by) => value / by, rows),
    );
  });
}

/** The matrix of a branch whose first rows read x; k and v of the attention to the encoder read its output. */
function readerOf(
  { stack, layer, sublayer }: Site,
  { embedDim }: ModelConfig,
): { name: string; rows?: number } {
  const prefix = layerPrefix(stack, layer);
  if (sublayer === 'fc') return { name: `${prefix}fc1.weight` };
  const rows = sublayer === 'encoder' ? embedDim : 3 * embedDim;
  return { name: `${prefix}${sublayer}_attn.in_proj_weight`, rows };
}

/** Folds the first ω of each stack into what goes in there. @returns the config of the folded model */
function foldInputs(config: ModelConfig, weights: Weights, folded: Map<string, WeightValues>): ModelConfig {
  const one = new Float32Array(config.embedDim).fill(1);
  const omegas = STACKS.map((stack) => weights.get(omegaName(sitesOf(config, stack)[0]))?.data ?? one);
  const [encoderMoves, decoderMoves] = omegas.map((omega) => omega.some((value) => value !== 1));
  if (!encoderMoves && !decoderMoves) return config;
  STACKS.forEach((stack, i) => {
    const embeddings = weights.get(embeddingName(config, stack))!;
    folded.set(`${stack}.embed_tokens.weight`, timesOmega(embeddings, omegas[i]));
    const positions = `${stack}.embed_positions.weight`;
    folded.set(positions, timesOmega(weights.get(positions) ?? sinusoidRows(config), omegas[i]));
  });
  const apart = decoderMoves || config.shareEmbeddings === 'none';
  if (apart) folded.set('decoder.embed_out', weights.get(outputName(config))!);
  return {
    ...config,
    shareEmbeddings: apart ? 'none' : 'decoder',
    positions: 'learned',
  };
}

/** The sinusoids as a table of learned positions; the rows before the first position are never read. */
function sinusoidRows({ maxPositions, embedDim }: ModelConfig): WeightValues {
  const rows = maxPositions + FIRST_POSITION;
  const data = new Float32Array(rows * embedDim);
  const places = Int32Array.from({ length: maxPositions }, (_, i) => i);
  data.set(sinusoids(places, { embedDim }), FIRST_POSITION * embedDim);
  return { shape: [rows, embedDim], data };
}

function timesOmega(values: WeightValues, omega: Float32Array): WeightValues {
  return scaleColumns(values, omega, (value, by) => value * by);
}

/**
 * A matrix, or a vector as a row, with each column scaled.
 *
 * @param omega a component for each column
 * @param rows how many rows to scale; the rest stays
 */
function scaleColumns(
  { shape, data }: WeightValues,
  omega: Float32Array,
  scale: (value: number, by: number) => number,
  rows = data.length / omega.length,
): WeightValues {
  const width = omega.length;
  const scaled = data.map((value, i) => (i < rows * width ? scale(value, omega[i % width]) : value));
  return { shape, data: scaled };
}

function complaintAbout(name: string, omega: Float32Array): Complaint[] {
  const at = omega.findIndex((value) => !(Math.abs(value) >= LEAST && Math.abs(value) < Infinity));
  if (at === -1) return [];
  return [
    {
      problem: `cannot fold this ω: expected finite components other than zero, found ${omega[at]} (component ${at})`,
      where: name,
      hint: 'Its shortcut carries nothing of what its branch reads, so no Post-LN model has the same function.',
    },
  ];
}

function checkFinite(name: string, values: WeightValues): WeightValues {
  const at = values.data.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return values;
  throw new UserError({
    problem: `expected finite weights, found ${values.data[at]} (value ${at})`,
    where: name,
    hint: 'The training had diverged, or a weight is too large to be divided by its ω.',
  });
}

function smallOf(name: string, omega: Float32Array): SmallOmega[] {
  const sizes = omega.map(Math.abs);
  const small = sizes.filter((size) => size < NEAR_ZERO);
  return small.length === 0
    ? []
    : [{ name, components: small.length, least: small.reduce((a, b) => Math.min(a, b)) }];
}
