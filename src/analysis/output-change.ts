import { Purpose, RandomStream } from '../common/rng.js';
import type { Batch } from '../data/batch.js';
import type { Stack } from '../model/scheme.js';
import type { Mode, Transformer } from '../model/transformer.js';
import { tf } from '../ops/tf.js';
import type { Direction } from '../report/analysis-data.js';
import { normalizedOutput } from './forward.js';
import { meanSquaredDifference } from './row-statistics.js';

export interface Perturbation {
  stack: Stack;
  direction: Direction;
  /** By how much each element of a matrix moves. */
  delta: number;
  /** Of the random signs. */
  seed: number;
}

/**
 * |F(x, W*) − F(x, W)|² for each component of the normalised output F of a stack, where W* = W ± δ (Liu et al., 2020,
 * figure 4; `--plot_stability` of the official code). W are the matrices of the stack's residual branches, each
 * element moved by δ: in a random direction, or against the sign of the gradient of the loss. The decoder reads what
 * it read before; the weights are put back.
 *
 * @param labelSmoothing of the loss
 * @param training dropout, see Mode
 * @returns a change for each perturbation
 */
export async function measureOutputChanges(
  model: Transformer,
  batch: Batch,
  perturbations: readonly Perturbation[],
  { labelSmoothing, training }: { labelSmoothing: number; training: Mode['training'] },
): Promise<number[]> {
  const gradients = perturbations.some(({ direction }) => direction === 'gradient')
    ? signsOfGradients(model, batch, labelSmoothing, training)
    : undefined;
  const memory = tf.tidy(() => model.encode(batch.source, { training }));
  const output = (stack: Stack): Promise<Float32Array> => {
    const hidden = tf.tidy(() =>
      stack === 'encoder'
        ? model.encode(batch.source, { training })
        : model.decode(batch.targetInput, memory, batch.source.offsets, { training }),
    );
    return normalizedOutput(hidden);
  };
  const before = { encoder: await output('encoder'), decoder: await output('decoder') };
  const change = async ({ stack, direction, delta, seed }: Perturbation): Promise<number> => {
    const matrices = branchMatrices(model, stack);
    const kept = matrices.map(([, weight]) => tf.clone(weight));
    matrices.forEach(([name, weight], place) => {
      tf.tidy(() => {
        const signs =
          direction === 'gradient' ? tf.neg(gradients!.get(name)!) : randomSigns(weight.shape, seed, place);
        weight.assign(tf.add(weight, tf.mul(signs, delta)));
      });
    });
    const after = await output(stack);
    matrices.forEach(([, weight], i) => {
      weight.assign(kept[i]);
    });
    tf.dispose(kept);
    return meanSquaredDifference(before[stack], after);
  };
  try {
    const changes: number[] = [];
    for (const perturbation of perturbations) changes.push(await change(perturbation));
    return changes;
  } finally {
    tf.dispose([memory, ...(gradients?.values() ?? [])]);
  }
}

/** The matrices of the residual branches of a stack, by name. */
function branchMatrices(model: Transformer, stack: Stack): [string, tf.Variable][] {
  return [...model.weights].filter(
    ([name, { shape }]) => name.startsWith(`${stack}.layers.`) && shape.length === 2,
  );
}

/** −1 or 1 for each element. */
function randomSigns(shape: number[], seed: number, place: number): tf.Tensor {
  const stream = new RandomStream({ seed, step: 0, purpose: Purpose.perturbation, site: place });
  const signs = new Float32Array(shape.reduce((product, size) => product * size, 1));
  let bits = 0;
  for (let i = 0; i < signs.length; i++) {
    if (i % 32 === 0) bits = stream.nextUint32();
    signs[i] = (bits >>> (i % 32)) & 1 ? 1 : -1;
  }
  return tf.tensor(signs, shape);
}

/** Signs of the gradient of the loss, by name of the weight. */
function signsOfGradients(
  model: Transformer,
  batch: Batch,
  labelSmoothing: number,
  training: Mode['training'],
): Map<string, tf.Tensor> {
  const matrices = [...branchMatrices(model, 'encoder'), ...branchMatrices(model, 'decoder')];
  const { value, grads } = tf.variableGrads(
    () => model.loss(batch, labelSmoothing, { training }).loss,
    matrices.map(([, weight]) => weight),
  );
  value.dispose();
  return new Map(
    matrices.map(([name, weight]) => {
      const gradient = grads[weight.name];
      const signs = tf.sign(gradient);
      gradient.dispose();
      return [name, signs];
    }),
  );
}
