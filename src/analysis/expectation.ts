import { SCHEMES } from '../config/residual-schemes.js';
import type { ModelConfig } from '../config/schema.js';
import { analyticOmegaSquared } from '../model/omega.js';
import { branchGain, deepnormConstants, type Site, type Stack, SUBLAYERS } from '../model/scheme.js';

/**
 * The theory of the paper (Liu et al., 2020, §4.1): β² of the embeddings and of each branch in the output of each
 * sublayer at the start of training, if the embeddings and every branch have variance 1 and none is correlated with
 * another. With N sublayers that makes β²ᵢᵢ = 1/2 for Post-LN and 1/(i+1) for Pre-LN and profiled Admin, i from 1.
 *
 * @returns a row for each sublayer: place 0 is the embeddings, the last its own branch; a row sums to 1
 */
export function expectedShares(config: ModelConfig, stack: Stack): number[][] {
  const count = SUBLAYERS[stack].length * config[stack].layers;
  const { norm, layerInput } = SCHEMES[config.residual][stack];
  let variances = [1];
  let atLayerInput = variances;
  return Array.from({ length: count }, (_, i) => {
    const sublayer = SUBLAYERS[stack][i % SUBLAYERS[stack].length];
    const scale = shortcutSquared(config, stack, i, count);
    if (sublayer === 'self') atLayerInput = variances;
    // A part comes in by two ways, in the same direction: its deviations add up.
    const carried =
      layerInput && sublayer === 'fc'
        ? variances.map((variance, k) => (Math.sqrt(variance) + Math.sqrt(atLayerInput[k] ?? 0)) ** 2)
        : variances;
    variances = [...carried.map((variance) => variance * scale), branchVariance(config, { stack, sublayer })];
    const total = variances.reduce((sum, variance) => sum + variance, 0);
    const shares = variances.map((variance) => variance / total);
    if (norm === 'post') variances = shares;
    return shares;
  });
}

/**
 * Σ β²ᵢᵢ over the sublayers of a stack. A small change of the parameters changes the output in proportion to it
 * (theorem 2 of the paper): N/2 for Post-LN, about ln N for Pre-LN and Admin.
 */
export function expectedChange(config: ModelConfig, stack: Stack): number {
  return expectedShares(config, stack).reduce((sum, shares) => sum + shares[shares.length - 1], 0);
}

/** The square of what the shortcut of the i-th of `count` sublayers is multiplied by; i from 0. */
function shortcutSquared(config: ModelConfig, stack: Stack, i: number, count: number): number {
  switch (SCHEMES[config.residual][stack].shortcut) {
    case 'plain':
      return 1;
    case 'alpha':
      return deepnormConstants(config, stack).alpha ** 2;
    case 'omega': {
      const { init, outputChange } = config.omega;
      // Profiled: ω² is the variance of what was added so far, i branches and the embeddings; 1 at the first.
      return init === 'analytic' ? analyticOmegaSquared(outputChange, count) : Math.max(1, i + 1);
    }
  }
}

/** Two matrices of a gain, of which an inner norm undoes the first. */
function branchVariance(config: ModelConfig, site: Omit<Site, 'layer'>): number {
  const { gate, innerNorm } = SCHEMES[config.residual][site.stack];
  if (gate) return 0;
  return branchGain(config, site) ** (innerNorm ? 2 : 4);
}
