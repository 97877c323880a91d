import type { Batch } from '../data/batch.js';
import { matricesOf } from '../model/matrices.js';
import type { Tap } from '../model/pass.js';
import { layerPrefix, type Site, STACKS, sitesOf } from '../model/scheme.js';
import type { Mode, Transformer } from '../model/transformer.js';
import { readAndDispose } from '../ops/reading.js';
import { tf } from '../ops/tf.js';
import { withGradient } from '../ops/with-gradient.js';
import type { GradientNorms, MatrixNorms } from '../report/analysis-data.js';

/**
 * Norm of the gradient of the loss per token by the output of each residual sublayer (Liu et al., 2020, figure 5;
 * `--plot_gradient` of the official code), in the order of the forward pass.
 *
 * @param training dropout, see Mode
 */
export async function measureHiddenGradients(
  model: Transformer,
  batch: Batch,
  labelSmoothing: number,
  training: Mode['training'],
): Promise<GradientNorms['hidden']> {
  const found = new Map<Site, tf.Tensor | null>();
  const tap: Tap = (site, output) => {
    found.set(site, null); // the order of the forward pass; the backward pass fills it
    return withGradient<tf.Tensor2D>([output], () => ({
      value: tf.clone(output),
      gradient: (dy) => {
        found.set(site, tf.keep(norm(dy)));
        return [dy];
      },
    }));
  };
  const { value, grads } = tf.variableGrads(
    () => model.loss(batch, labelSmoothing, { training, tap }).loss,
    model.trainable,
  );
  tf.dispose([value, grads]);
  const norms: GradientNorms['hidden'][number][] = [];
  for (const [site, norm] of found) {
    const [value] = norm === null ? [Number.NaN] : await readAndDispose(norm);
    norms.push({ ...site, norm: value / batch.targetOutput.length });
  }
  return norms;
}

function norm(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.sqrt(tf.sum(tf.square(x))));
}

/** One tensor for each weight that is trained, in the order of Transformer.trainable. */
export type Aligned = readonly tf.Tensor[];

/** The matrices of the residual branches: for each its place among the weights that are trained. */
interface Part {
  readonly stack: MatrixNorms['stack'];
  readonly layer: number;
  readonly part: string;
  readonly places: readonly number[];
}

/**
 * Root mean square of the gradient and of the update of each matrix of the residual branches, averaged over updates
 * (Liu et al., 2020, figure 6: gradients differ in size from module to module, updates by Adam do not).
 */
export class MatrixNormMeter {
  private readonly parts: readonly Part[];
  private readonly gradients: number[];
  private readonly updates: number[];
  private steps = 0;
  private lrs = 0;

  constructor(model: Transformer) {
    const names = [...model.weights].filter(([, { trainable }]) => trainable).map(([name]) => name);
    this.parts = STACKS.flatMap((stack) => sitesOf(model.config, stack)).flatMap(
      ({ stack, layer, sublayer }) =>
        matricesOf(sublayer).map(([part, own]) => ({
          stack,
          layer,
          part,
          places: own.map((name) => names.indexOf(layerPrefix(stack, layer) + name)).filter((i) => i >= 0),
        })),
    );
    this.gradients = this.parts.map(() => 0);
    this.updates = this.parts.map(() => 0);
  }

  /**
   * Counts an update in.
   *
   * @param gradients of the loss, summed over `tokens`
   * @param changes of the weights that the update made
   */
  async add(gradients: Aligned, tokens: number, changes: Aligned, lr: number): Promise<void> {
    this.steps++;
    this.lrs += lr;
    for (const [i, { places }] of this.parts.entries()) {
      this.gradients[i] += (await rootMeanSquare(places.map((place) => gradients[place]))) / tokens;
      this.updates[i] += await rootMeanSquare(places.map((place) => changes[place]));
    }
  }

  /** The averages so far. */
  norms(): MatrixNorms[] {
    return this.parts.map(({ stack, layer, part }, i) => ({
      stack,
      layer,
      part,
      gradient: this.gradients[i] / this.steps,
      update: this.updates[i] / this.lrs,
    }));
  }
}

/** √ of the mean of the squares of all elements of some tensors. */
async function rootMeanSquare(tensors: readonly tf.Tensor[]): Promise<number> {
  const sum = tf.tidy(() => tf.addN(tensors.map((tensor) => tf.sum(tf.square(tensor)))));
  const [squares] = await readAndDispose(sum);
  return Math.sqrt(squares / tensors.reduce((sum, { size }) => sum + size, 0));
}
