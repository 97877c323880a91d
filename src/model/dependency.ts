import type { Batch } from '../data/batch.js';
import { tf } from '../ops/tf.js';
import type { Mode, Probe } from './pass.js';
import type { Site } from './scheme.js';
import type { Transformer } from './transformer.js';
import { variance } from './variance.js';

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
export function measureDependency(
  model: Transformer,
  batch: Batch,
  training: Mode['training'] = null,
): SublayerDependency[] {
  const found: SublayerDependency[] = [];
  const probe: Probe = (site, shortcut, branch) => {
    const [shortcutVariance, branchVariance] = [variance(shortcut), variance(branch)];
    const dependency = branchVariance / (shortcutVariance + branchVariance);
    found.push({ ...site, shortcutVariance, branchVariance, dependency });
  };
  tf.tidy(() => {
    const pass = model.pass({ training, probe });
    const memory = model.encode(batch.source, pass);
    model.decode(batch.targetInput, memory, batch.source.offsets, pass);
  });
  return found;
}
