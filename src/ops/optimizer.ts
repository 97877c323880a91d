import { hasKernel, runFused } from './kernels.js';
import { readAndDispose } from './reading.js';
import { tf } from './tf.js';

export interface AdamOptions {
  lr: number;
  betas: readonly [number, number];
  eps: number;
  /** Decoupled: p −= lr · weightDecay · p before the step. */
  weightDecay: number;
}

/** Running means of the gradients and of their squares, aligned with the parameters. */
export interface Moments {
  first: tf.Variable[];
  second: tf.Variable[];
}

/** Moments of zero for some parameters. */
export function zeroMoments(parameters: readonly tf.Variable[]): Moments {
  const zeros = () =>
    parameters.map((parameter) => tf.tidy(() => tf.variable(tf.zerosLike(parameter), false)));
  return { first: zeros(), second: zeros() };
}

/**
 * Step size of Adam as fairseq has it: lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ), with ε added to the uncorrected √v
 * (radam_fairseq/adam2.py, fairseq/optim/adam.py).
 *
 * @param step t, from 1
 */
export function adamStepSize(step: number, { lr, betas: [beta1, beta2] }: AdamOptions): number {
  return (lr * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
}

/**
 * Step size of RAdam (Liu et al., ICLR 2020) as the official code has it (radam_fairseq/radam.py), or null while
 * the approximated length of the moving average N_sma is below 5: then no step is taken, only weight decay.
 *
 * @param step t, from 1
 */
export function radamStepSize(step: number, { lr, betas: [beta1, beta2] }: AdamOptions): number | null {
  const decay = beta2 ** step;
  const longest = 2 / (1 - beta2) - 1;
  const length = longest - (2 * step * decay) / (1 - decay);
  if (length < 5) return null;
  const rectification =
    (((1 - decay) * (length - 4)) / (longest - 4)) * (((length - 2) * longest) / length / (longest - 2));
  return (lr * Math.sqrt(rectification)) / (1 - beta1 ** step);
}

/**
 * SGD with momentum µ (torch.optim.SGD: b = µ·b + g, p −= lr·b) as a case of Adam's step: under β₁ = µ, β₂ = 1 and ε = 1
 * the second moment stays 0, the first is (1 − µ)·b, and √v + ε is 1.
 *
 * @returns what to give to `adamUpdate`
 */
export function sgdStep(
  momentum: number,
  { lr, weightDecay }: Pick<AdamOptions, 'lr' | 'weightDecay'>,
): { stepSize: number; options: AdamOptions } {
  return { stepSize: lr / (1 - momentum), options: { lr, betas: [momentum, 1], eps: 1, weightDecay } };
}

/**
 * One step of Adam, RAdam or SGD for the whole list, with g the gradient times `scale`: m = β₁m + (1−β₁)g,
 * v = β₂v + (1−β₂)g², p −= lr·wd·p, p −= stepSize · m / (√v + ε). Parameters and moments are overwritten; the
 * gradients stay.
 *
 * @param stepSize from adamStepSize, radamStepSize or sgdStep; null takes no step beside weight decay
 * @param scale what all gradients are multiplied by first; null for 1. Where it is not finite, parameters and
 *   moments stay as they are
 */
export function adamUpdate(
  parameters: readonly tf.Variable[],
  gradients: readonly tf.Tensor[],
  moments: Moments,
  stepSize: number | null,
  options: AdamOptions,
  scale: tf.Scalar | null = null,
): void {
  if (hasKernel('Adam')) {
    fusedUpdate(parameters, gradients, moments, stepSize, options, scale);
    return;
  }
  parameters.forEach((parameter, i) => {
    const [first, second] = [moments.first[i], moments.second[i]];
    tf.tidy(() => referenceUpdate(parameter, gradients[i], first, second, stepSize, options, scale));
  });
}

function referenceUpdate(
  ...[parameter, gradient, first, second, stepSize, options, scale]: [
    ...[parameter: tf.Variable, gradient: tf.Tensor, first: tf.Variable, second: tf.Variable],
    ...[stepSize: number | null, options: AdamOptions, scale: tf.Scalar | null],
  ]
): void {
  const {
    lr,
    betas: [beta1, beta2],
    eps,
    weightDecay,
  } = options;
  const usable = scale === null ? null : tf.isFinite(scale);
  const put = (variable: tf.Variable, next: tf.Tensor): void =>
    variable.assign(usable === null ? next : tf.where(usable, next, variable));
  const g = scale === null ? gradient : tf.mul(gradient, scale);
  put(first, tf.add(tf.mul(first, beta1), tf.mul(g, 1 - beta1)));
  put(second, tf.add(tf.mul(second, beta2), tf.mul(tf.square(g), 1 - beta2)));
  let next: tf.Tensor = parameter;
  if (weightDecay !== 0) next = tf.mul(next, 1 - lr * weightDecay);
  if (stepSize !== null) {
    next = tf.sub(next, tf.div(tf.mul(first, stepSize), tf.add(tf.sqrt(second), eps)));
  }
  if (next !== parameter) put(parameter, next);
}

function fusedUpdate(
  parameter: readonly tf.Variable[],
  gradient: readonly tf.Tensor[],
  moments: Moments,
  stepSize: number | null,
  { lr, betas: [beta1, beta2], eps: epsilon, weightDecay }: AdamOptions,
  scale: tf.Scalar | null,
): void {
  const factor = scale ?? tf.scalar(1);
  runFused(
    'Adam',
    { scale: factor },
    { parameter, gradient, ...moments, beta1, beta2, step: stepSize ?? 0, epsilon, decay: lr * weightDecay },
  );
  if (scale === null) factor.dispose();
}

/** √ of the sum of squares over all tensors. */
export function globalNorm(tensors: readonly tf.Tensor[]): tf.Scalar {
  if (hasKernel('GlobalNorm')) {
    return runFused('GlobalNorm', {}, { tensor: tensors })[0] as tf.Scalar;
  }
  return tf.tidy(() => tf.sqrt(tf.addN(tensors.map((tensor) => tf.sum(tf.square(tensor))))) as tf.Scalar);
}

/** The same as a number, read from the device; 0 of no tensors. */
export async function globalNormValue(tensors: readonly tf.Tensor[]): Promise<number> {
  if (tensors.length === 0) return 0;
  const [norm] = await readAndDispose(globalNorm(tensors));
  return norm;
}
