import { DEFAULT_RESIDUAL, hasOmega } from '../config/residual-schemes.js';
import type { ModelConfig } from '../config/schema.js';
import { type Batch, withPadding } from '../data/batch.js';
import { tf } from '../ops/tf.js';
import type { OmegaValues } from './omega.js';
import { PADDING_INDEX, type VocabularySizes } from './parameters.js';
import type { Mode } from './pass.js';
import { omegaName, type Site, type Stack } from './scheme.js';
import { Transformer } from './transformer.js';
import { variance } from './variance.js';
import { type Look, watchForward } from './watch-forward.js';

/** What profiling finds at one residual sublayer. */
export interface ProfiledSublayer extends Site {
  /** Var(x·ω) over the whole tensor. */
  shortcutVariance: number;
  /** Var(f(x)) over the whole tensor, dropout included. */
  branchVariance: number;
  omega: number;
}

/**
 * Admin's profiling (Liu et al., 2020, §4.2; as fairseq/modules/transformer_layer.py of the official code does it):
 * separately for encoder and decoder, ω₁ = 1 and ω_next = √(Var(x·ω) + Var(f(x))), in the order of the forward
 * pass, on one batch with dropout on. One pass is enough, as the ω of a sublayer is known when it is reached.
 *
 * The official code takes the variances over padded tensors, and so does this with `omega.as-official`; elsewhere there
 * is no padding.
 *
 * @param config of any residual scheme: one without ω is profiled as the same model under Admin
 * @param batch the first training batch
 * @param seed of the run: initial weights and dropout masks are those of its first step
 */
export async function profileOmega(
  config: ModelConfig,
  vocabulary: VocabularySizes,
  batch: Batch,
  seed: number,
): Promise<ProfiledSublayer[]> {
  const profiled: ModelConfig = {
    ...config,
    residual: profiledAs(config),
    omega: { ...config.omega, init: 'profiled' },
  };
  const model = Transformer.create(profiled, vocabulary, seed);
  try {
    return await profileModel(model, batch, { seed, step: 0 });
  } finally {
    model.dispose();
  }
}

/**
 * The same for the weights of a model under Admin, whose own ω play no part.
 *
 * @param profiled which sublayers are profiled; the others keep their ω, and what is found there of ω says nothing
 */
export async function profileModel(
  model: Transformer,
  batch: Batch,
  training: Mode['training'],
  profiled: (site: Site) => boolean = () => true,
): Promise<ProfiledSublayer[]> {
  const next: Record<Stack, number> = { encoder: 1, decoder: 1 };
  const found: ProfiledSublayer[] = [];
  const look: Look = async (site, shortcut, branch) => {
    const sublayer = {
      ...site,
      shortcutVariance: await variance(shortcut),
      branchVariance: await variance(branch),
      omega: next[site.stack],
    };
    found.push(sublayer);
    next[site.stack] = Math.fround(Math.sqrt(sublayer.shortcutVariance + sublayer.branchVariance));
  };
  const omega: Mode['omega'] = (site) =>
    profiled(site)
      ? tf.fill([model.config.embedDim], next[site.stack])
      : (model.weights.get(omegaName(site)) as unknown as tf.Tensor1D);
  const looked = model.config.omega.asOfficial ? withPadding(batch, PADDING_INDEX) : batch;
  const { encoder, decoder } = await watchForward(model, looked, { training, omega }, look);
  tf.dispose([encoder, decoder]);
  return found;
}

/** The scheme under which a model is profiled: its own where that has ω. */
export function profiledAs({ residual }: Pick<ModelConfig, 'residual'>): ModelConfig['residual'] {
  return hasOmega({ residual }) ? residual : DEFAULT_RESIDUAL;
}

/** The ω of a profile, by stack. */
export function omegaOf(profile: readonly ProfiledSublayer[]): OmegaValues {
  const values = (stack: Stack): number[] =>
    profile.filter((site) => site.stack === stack).map(({ omega }) => omega);
  return { encoder: values('encoder'), decoder: values('decoder') };
}
