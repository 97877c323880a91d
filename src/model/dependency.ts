import type { Batch } from '../data/batch.js';
import { tf } from '../ops/tf.js';
import type { Mode } from './pass.js';
import type { Site } from './scheme.js';
import type { Transformer } from './transformer.js';
import { variance } from './variance.js';
import { type Look, watchForward } from './watch-forward.js';

/** How much a residual sublayer leans on its branch. */
export interface SublayerDependency extends Site {
  /** Var(x·ω) over the whole tensor. */
  shortcutVariance: number;
  /** Var(f(x)) over the whole tensor. */
  branchVariance: number;
  /**
   * Var(f(x)) / (Var(x·ω) + Var(f(x))), 0 … 1: the share of the branch in the sublayer's output (Liu et al., 2020,
   * §4.1). NaN where a value is not finite.
   */
  dependency: number;
}

/** The dependencies of all residual sublayers on a batch, in the order of the forward pass. */
export async function measureDependency(
  model: Transformer,
  batch: Batch,
  training: Mode['training'] = null,
): Promise<SublayerDependency[]> {
  const found: SublayerDependency[] = [];
  const look: Look = async (site, shortcut, branch) => {
    const [shortcutVariance, branchVariance] = [await variance(shortcut), await variance(branch)];
    const dependency = branchVariance / (shortcutVariance + branchVariance);
    found.push({ ...site, shortcutVariance, branchVariance, dependency });
  };
  const { encoder, decoder } = await watchForward(model, batch, { training }, look);
  tf.dispose([encoder, decoder]);
  return found;
}
