import { dropout } from './dropout.js';
import { hasKernel, kernelDropout, type MaskKey, runFused } from './kernels.js';
import { layerNorm, layerNormReference } from './layer-norm.js';
import { columnSums } from './matmul.js';
import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

/** x·ω with ω of the width of x: x [T, d], ω [d]. */
export function scaleColumns(x: tf.Tensor2D, omega: tf.Tensor1D): tf.Tensor2D {
  return withGradient<tf.Tensor2D>([x, omega], (keep) => {
    const [savedX, savedOmega] = [keep(x), keep(omega)];
    return {
      value: tf.mul(x, omega),
      gradient: (dy) => [tf.mul(dy, savedOmega()), columnSums(tf.mul(dy, savedX()))],
    };
  });
}

/**
 * The residual sublayer of Post-LN and Admin: LN(x·ω + f(x)).
 *
 * @param x shortcut, [T, d]
 * @param branch f(x), [T, d]
 * @param omega [d], or null for 1
 */
export function residualNorm(
  x: tf.Tensor2D,
  branch: tf.Tensor2D,
  omega: tf.Tensor1D | null,
  gain: tf.Tensor1D,
  bias: tf.Tensor1D,
): tf.Tensor2D {
  return tf.tidy(() => {
    const shortcut = omega === null ? x : scaleColumns(x, omega);
    return layerNorm(tf.add(shortcut, branch), gain, bias);
  });
}

/** The same by tfjs alone: the oracle of `residualNorm`. */
export function residualNormReference(
  x: tf.Tensor2D,
  branch: tf.Tensor2D,
  omega: tf.Tensor1D | null,
  gain: tf.Tensor1D,
  bias: tf.Tensor1D,
): tf.Tensor2D {
  return layerNormReference(tf.add(omega === null ? x : tf.mul(x, omega), branch), gain, bias);
}

export interface ResidualOptions {
  /** Dropout of the branch. */
  dropout: number;
  key: MaskKey | null;
  /** DeepNorm's constant; 1 in the other schemes. */
  alpha: number;
  /** Admin's ω, [d]; null for 1. */
  omega: tf.Tensor1D | null;
  /** ReZero's scalar, [1]; null for 1. */
  gate: tf.Tensor1D | null;
  /** The layer normalisation of the sum; null for none. */
  norm: { gain: tf.Tensor1D; bias: tf.Tensor1D } | null;
}

/**
 * A residual sublayer in any scheme: z = x·α·ω + gate · dropout(f), then LN(z) or z itself.
 *
 * @param x shortcut, [T, d]
 * @param branch f(x) before its dropout, [T, d]
 */
export function residual(x: tf.Tensor2D, branch: tf.Tensor2D, options: ResidualOptions): tf.Tensor2D {
  return hasKernel('Residual', 'ResidualGradient')
    ? fusedResidual(x, branch, options)
    : residualReference(x, branch, options);
}

/** The same from its parts: the oracle of the fused one. */
export function residualReference(
  x: tf.Tensor2D,
  branch: tf.Tensor2D,
  options: ResidualOptions,
): tf.Tensor2D {
  return tf.tidy(() => {
    const { shortcut, output } = residualParts(x, branch, options);
    const { omega, norm } = options;
    if (norm !== null) return residualNorm(shortcut, output, omega, norm.gain, norm.bias);
    return tf.add(omega === null ? shortcut : scaleColumns(shortcut, omega), output);
  });
}

/** x·α, and the branch after dropout and gate. */
export function residualParts(
  x: tf.Tensor2D,
  branch: tf.Tensor2D,
  { dropout: rate, key, alpha, gate }: Omit<ResidualOptions, 'omega' | 'norm'>,
): { shortcut: tf.Tensor2D; output: tf.Tensor2D } {
  const dropped = dropout(branch, rate, key);
  return {
    shortcut: alpha === 1 ? x : tf.mul(x, alpha),
    output: gate === null ? dropped : tf.mul(dropped, gate),
  };
}

/** Keeps x where ω is trained, the branch where the gate is, and the normalised sum. */
function fusedResidual(
  x: tf.Tensor2D,
  branch: tf.Tensor2D,
  { dropout: rate, key, alpha, omega, gate, norm }: ResidualOptions,
): tf.Tensor2D {
  const attributes = { alpha, dropout: kernelDropout(rate, key) };
  const [gain, bias] = [norm?.gain ?? null, norm?.bias ?? null];
  const inputs = [x, branch, omega, gate, gain, bias].filter((tensor) => tensor !== null);
  return withGradient<tf.Tensor2D>(inputs, (keep) => {
    const keepIf = (tensor: tf.Tensor | null) => (tensor === null ? () => null : keep(tensor));
    const [value, normal = null, inverse = null] = runFused(
      'Residual',
      { x, f: branch, omega, gate, gain, bias },
      attributes,
    );
    const [savedX, savedBranch] = [keepIf(omega && x), keepIf(gate && branch)];
    const [savedOmega, savedGate] = [keepIf(omega), keepIf(gate)];
    const [savedGain, savedBias] = [keepIf(gain), keepIf(bias)];
    const [savedNormal, savedInverse] = [keepIf(normal), keepIf(inverse)];
    return {
      value: value as tf.Tensor2D,
      gradient: (dy) =>
        runFused(
          'ResidualGradient',
          {
            dy,
            x: savedX(),
            f: savedBranch(),
            omega: savedOmega(),
            gate: savedGate(),
            gain: savedGain(),
            bias: savedBias(),
            normal: savedNormal(),
            inverse: savedInverse(),
          },
          attributes,
        ),
    };
  });
}
