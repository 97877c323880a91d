import { SCHEMES } from '../config/residual-schemes.js';
import type { ModelConfig } from '../config/schema.js';
import { FIRST_POSITION, sinusoids } from './embeddings.js';
import type { GraphBuilder } from './onnx-graph.js';
import { embeddingName } from './parameters.js';
import { deepnormConstants, layerPrefix, normName, omegaName, type Site, type Stack } from './scheme.js';
import type { WeightValues } from './transformer.js';

/** What a graph is made from: the model, and what is made so far. */
export interface OnnxParts {
  graph: GraphBuilder;
  config: ModelConfig;
  weight: (name: string) => WeightValues;
}

/** Keys and values, each [batch, heads, length, d / heads]. */
export interface KeysAndValues {
  keys: string;
  values: string;
}

const EPSILON = 1e-5;
/** Added to a score of what is not to be seen: its exponential is 0, and where nothing is seen nothing is NaN. */
const HIDDEN = -1e9;

/**
 * Token embeddings · √d (where the config says so) + position embeddings.
 *
 * @param ids [batch, length]
 * @param positions of all of a row, [length]
 * @returns [batch, length, d]
 */
export function embedded(parts: OnnxParts, stack: Stack, ids: string, positions: string): string {
  const { graph, config, weight } = parts;
  const name = embeddingName(config, stack);
  const rows = graph.op('Gather', [graph.weight(name, () => weight(name)), ids]);
  const scaled = config.scaleEmbeddings
    ? graph.op('Mul', [rows, graph.float(Math.sqrt(config.embedDim))])
    : rows;
  const table = graph.weight(`${stack}.positions`, () => positionTable(parts, stack));
  return graph.op('Add', [scaled, graph.op('Gather', [table, positions])]);
}

/** Position embeddings, counted from 0, [max-positions, d]. */
function positionTable({ config, weight }: OnnxParts, stack: Stack): WeightValues {
  const { maxPositions, embedDim } = config;
  const shape = [maxPositions, embedDim];
  if (config.positions === 'learned') {
    const { data } = weight(`${stack}.embed_positions.weight`);
    return { shape, data: data.subarray(FIRST_POSITION * embedDim) };
  }
  return {
    shape,
    data: sinusoids(
      Int32Array.from({ length: maxPositions }, (_, i) => i),
      { embedDim },
    ),
  };
}

/** x·Wᵀ + b by the official names of W and b, `map.weight` and `map.bias`. */
export function linear({ graph, weight }: OnnxParts, x: string, map: string): string {
  const matrix = graph.weight(`${map}.weight.T`, () => transposed(weight(`${map}.weight`)));
  const bias = graph.weight(`${map}.bias`, () => weight(`${map}.bias`));
  return graph.op('Add', [graph.op('MatMul', [x, matrix]), bias]);
}

export function layerNorm({ graph, weight }: OnnxParts, x: string, name: string): string {
  const [gain, bias] = ['weight', 'bias'].map((part) => {
    return graph.weight(`${name}.${part}`, () => weight(`${name}.${part}`));
  });
  const attributes = { axis: { int: -1 }, epsilon: { float: EPSILON } };
  return graph.op('LayerNormalization', [x, gain, bias], attributes);
}

const PARTS = ['q', 'k', 'v'] as const;

/**
 * Neighbouring input projections of an attention, by heads.
 *
 * @param prefix of the parameters of the attention, with a dot at its end
 * @param x [batch, length, d]
 * @returns each [batch, heads, length, d / heads]
 */
export function projections(
  parts: OnnxParts,
  prefix: string,
  which: readonly (typeof PARTS)[number][],
  x: string,
): string[] {
  const { graph, config, weight } = parts;
  const { embedDim: d, attentionHeads: heads } = config;
  const first = PARTS.indexOf(which[0]);
  const rows = ({ data }: WeightValues, width: number): Float32Array =>
    data.subarray(first * d * width, (first + which.length) * d * width);
  const name = `${prefix}${which.join('')}`;
  const matrix = graph.weight(`${name}.weight.T`, () =>
    transposed({ shape: [which.length * d, d], data: rows(inputProjections(parts, prefix), d) }),
  );
  const bias = graph.weight(`${name}.bias`, () => {
    return { shape: [which.length * d], data: rows(weight(`${prefix}in_proj_bias`), 1) };
  });
  const together = graph.op('Add', [graph.op('MatMul', [x, matrix]), bias]);
  const apart =
    which.length === 1
      ? [together]
      : graph.ops('Split', [together, graph.int(which.map(() => d))], which.length, { axis: { int: -1 } });
  return apart.map((value) => {
    const byHead = graph.op('Reshape', [value, graph.int([0, 0, heads, d / heads])]);
    return graph.op('Transpose', [byHead], { perm: { ints: [0, 2, 1, 3] } });
  });
}

/** The matrices of q, k and v, one below the other, [3d, d]. */
function inputProjections({ config, weight }: OnnxParts, prefix: string): WeightValues {
  const stack = prefix.startsWith('encoder') ? 'encoder' : 'decoder';
  if (SCHEMES[config.residual][stack].fusedProjections) return weight(`${prefix}in_proj_weight`);
  const d = config.embedDim;
  const data = new Float32Array(3 * d * d);
  PARTS.forEach((part, i) => {
    data.set(weight(`${prefix}${part}_proj_weight`).data, i * d * d);
  });
  return { shape: [3 * d, d], data };
}

/**
 * Softmax(q·kᵀ / √(d/heads) + mask)·v, and the output projection.
 *
 * @param queries [batch, heads, length, d / heads]
 * @param mask is added to scores, [batch or 1, 1, length or 1, length of the keys]
 * @returns [batch, length, d]
 */
export function attended(
  parts: OnnxParts,
  prefix: string,
  queries: string,
  { keys, values }: KeysAndValues,
  mask: string,
): string {
  const { graph, config } = parts;
  const { embedDim: d, attentionHeads: heads } = config;
  const scaled = graph.op('Mul', [queries, graph.float((d / heads) ** -0.5)]);
  const turned = graph.op('Transpose', [keys], { perm: { ints: [0, 1, 3, 2] } });
  const scores = graph.op('Add', [graph.op('MatMul', [scaled, turned]), mask]);
  const shares = graph.op('Softmax', [scores], { axis: { int: -1 } });
  const mixed = graph.op('Transpose', [graph.op('MatMul', [shares, values])], {
    perm: { ints: [0, 2, 1, 3] },
  });
  const together = graph.op('Reshape', [mixed, graph.int([0, 0, d])]);
  return linear(parts, innerNorm(parts, together, `${prefix}inner_attn_ln`), `${prefix}out_proj`);
}

/** What is added to scores: nothing where a condition holds, and so much where it does not that nothing is left. */
export function maskOf({ graph }: OnnxParts, condition: string): string {
  return graph.op('Where', [condition, graph.float(0), graph.float(HIDDEN)]);
}

/** What the last linear map of a branch reads: x, or in Sub-LN x by the norm of this name. */
function innerNorm(parts: OnnxParts, x: string, name: string): string {
  const stack = name.startsWith('encoder') ? 'encoder' : 'decoder';
  const has = SCHEMES[parts.config.residual][stack].innerNorm && !name.includes('.encoder_attn.');
  return has ? layerNorm(parts, x, name) : x;
}

/**
 * A residual sublayer in the scheme of its stack.
 *
 * @param branch f(x)
 * @param layerInput what the layer began with
 */
export function residual(
  parts: OnnxParts,
  site: Site,
  x: string,
  branch: (input: string) => string,
  layerInput = x,
): string {
  const { graph, config, weight } = parts;
  const { norm, gate, shortcut, ...scheme } = SCHEMES[config.residual][site.stack];
  const vector = (name: string): string => graph.weight(name, () => weight(name));
  const output = branch(norm === 'pre' ? layerNorm(parts, x, normName(site)) : x);
  const again = scheme.layerInput && site.sublayer === 'fc';
  const carried = again ? graph.op('Add', [x, layerInput]) : x;
  const factor = {
    plain: () => undefined,
    alpha: () => graph.float(deepnormConstants(config, site.stack).alpha),
    omega: () => vector(omegaName(site)),
  }[shortcut]();
  const sum = graph.op('Add', [
    factor === undefined ? carried : graph.op('Mul', [carried, factor]),
    gate ? graph.op('Mul', [output, vector(`${layerPrefix(site.stack, site.layer)}rezero_weight`)]) : output,
  ]);
  return norm === 'post' ? layerNorm(parts, sum, normName(site)) : sum;
}

/** fc2(activation(fc1(x))) */
export function feedForward(parts: OnnxParts, prefix: string, x: string): string {
  const { graph, config } = parts;
  const inner = linear(parts, x, `${prefix}fc1`);
  const activated = {
    relu: () => graph.op('Relu', [inner]),
    swish: () => graph.op('Mul', [inner, graph.op('Sigmoid', [inner])]),
    gelu: () => {
      const error = graph.op('Erf', [graph.op('Mul', [inner, graph.float(Math.SQRT1_2)])]);
      const share = graph.op('Mul', [graph.op('Add', [error, graph.float(1)]), graph.float(0.5)]);
      return graph.op('Mul', [inner, share]);
    },
  }[config.activationFn]();
  return linear(parts, innerNorm(parts, activated, `${prefix}ffn_layernorm`), `${prefix}fc2`);
}

function transposed({ shape: [rows, columns], data }: WeightValues): WeightValues {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = data[row * columns + column];
  return { shape: [columns, rows], data: turned };
}
