import type { ModelConfig } from '../config/schema.js';
import { SUBLAYERS } from './scheme.js';

/** ω of every residual sublayer, in the order of the forward pass. */
export interface OmegaValues {
  /** [2 · layers] */
  encoder: number[];
  /** [3 · layers] */
  decoder: number[];
}

/**
 * ω² for a stack of N residual sublayers by the growth of the output change that is wanted (admin-torch,
 * `calculate_init`): log N: (N+1)/ln(N+1) − 1; constant: N; linear: 1.
 */
export function analyticOmegaSquared(outputChange: ModelConfig['omega']['outputChange'], n: number): number {
  switch (outputChange) {
    case 'log-n':
      return (n + 1) / Math.log(n + 1) - 1;
    case 'constant':
      return n;
    case 'linear':
      return 1;
  }
}

/** The analytic ω: one value for all sublayers of a stack. */
export function analyticOmega(config: ModelConfig): OmegaValues {
  const values = (stack: 'encoder' | 'decoder'): number[] => {
    const n = SUBLAYERS[stack].length * config[stack].layers;
    return new Array(n).fill(Math.sqrt(analyticOmegaSquared(config.omega.outputChange, n)));
  };
  return { encoder: values('encoder'), decoder: values('decoder') };
}
