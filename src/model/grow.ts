import type { ModelConfig, TrainConfig } from '../config/schema.js';
import type { Batch } from '../data/batch.js';
import { tf } from '../ops/tf.js';
import type { OmegaValues } from './omega.js';
import { initialValues, parameterSpecs, type VocabularySizes } from './parameters.js';
import { omegaOf, profileModel } from './profile.js';
import { omegaName, omegaStacks, type Site, STACKS, type Stack, sitesOf } from './scheme.js';
import type { Transformer, WeightValues } from './transformer.js';

/** Depth of the model that another one grows from. */
export type Depth = Pick<ModelConfig, Stack>;

/** The deeper model. */
export interface Grown {
  config: ModelConfig;
  vocabulary: VocabularySizes;
  /** Of the weights that are new. */
  seed: number;
}

/**
 * Weights of a deeper model from those of one with `depth`, n layers in a stack. Layers below n are copies. Those
 * above are copies of layer i mod n with `stack` (progressive stacking, Gong et al., 2019), or initial ones with
 * `top`; their ω is 1, to be set by setOmega.
 */
export function growWeights(
  weights: ReadonlyMap<string, WeightValues>,
  depth: Depth,
  way: Exclude<TrainConfig['grow'], 'none'>,
  { config, vocabulary, seed }: Grown,
): Map<string, WeightValues> {
  const omegas = new Set(newSites(config, depth).map(omegaName));
  const grown = new Map(weights);
  parameterSpecs(config, vocabulary).forEach((spec, place) => {
    const { name, shape } = spec;
    const layer = layerOf(name);
    if (layer === undefined || layer.index < depth[layer.stack].layers) return;
    const copied = way === 'stack' && !omegas.has(name) && weights.get(nameBelow(layer, depth));
    grown.set(name, copied || { shape, data: initialValues(spec, place, seed) });
  });
  return grown;
}

interface LayerParameter {
  stack: Stack;
  index: number;
  rest: string;
}

function layerOf(name: string): LayerParameter | undefined {
  const [, stack, index, rest] = /^(encoder|decoder)\.layers\.(\d+)\.(.+)$/.exec(name) ?? [];
  return rest === undefined ? undefined : { stack: stack as Stack, index: Number(index), rest };
}

function nameBelow({ stack, index, rest }: LayerParameter, depth: Depth): string {
  return `${stack}.layers.${index % depth[stack].layers}.${rest}`;
}

/** The sublayers that a model of this depth lacks. */
function newSites(config: ModelConfig, depth: Depth): Site[] {
  return STACKS.flatMap((stack) =>
    sitesOf(config, stack).filter(({ layer }) => layer >= depth[stack].layers),
  );
}

/** The ω of Admin for the sublayers above `depth`, profiled where those below keep the ω that they have. */
export async function profileNewOmega(
  model: Transformer,
  depth: Depth,
  batch: Batch,
  seed: number,
): Promise<OmegaValues> {
  const isNew = ({ stack, layer }: Site): boolean => layer >= depth[stack].layers;
  return omegaOf(await profileModel(model, batch, { seed, step: 0 }, isNew));
}

/** Sets ω of the sublayers above `depth`, the same in all components. */
export function setNewOmega(model: Transformer, depth: Depth, omega: OmegaValues): void {
  for (const stack of omegaStacks(model.config)) {
    sitesOf(model.config, stack).forEach((site, i) => {
      if (site.layer < depth[stack].layers) return;
      const weight = model.weights.get(omegaName(site))!;
      tf.tidy(() => weight.assign(tf.fill(weight.shape, omega[stack][i])));
    });
  }
}
