import { UserError } from '../common/errors.js';
import type { Precision } from '../common/precision.js';
import type { ModelConfig } from '../config/schema.js';
import type { Batch, Packed } from '../data/batch.js';
import { smoothedCrossEntropy, type TokenLosses } from '../ops/cross-entropy.js';
import { tf } from '../ops/tf.js';
import { type Guidance, guided } from './guided-alignment.js';
import { finish, type Steps } from './layers.js';
import { checkModelMemory } from './model-memory.js';
import { analyticOmega, type OmegaValues } from './omega.js';
import {
  constantNames,
  initialValues,
  OUTPUT_BIAS,
  outputName,
  parameterSpecs,
  type VocabularySizes,
} from './parameters.js';
import { type Mode, Pass, type Recompute } from './pass.js';
import { omegaName, STACKS, sitesOf } from './scheme.js';
import { decoderSteps, encoderSteps } from './stacks.js';

export type { VocabularySizes } from './parameters.js';
export type { Mode, Probe } from './pass.js';

export interface WeightValues {
  shape: readonly number[];
  data: Float32Array;
}

/** What `Transformer.loss` finds of a batch. */
export interface BatchLosses extends TokenLosses {
  /** Cross-entropy of the guided attention, where there is one and the batch has alignments: summed likewise, in nats. */
  alignment?: tf.Scalar;
}

/** The Transformer encoder–decoder over packed batches, in every residual scheme. */
export class Transformer {
  readonly config: ModelConfig;
  readonly vocabulary: VocabularySizes;
  /** By official name, in the order of the forward pass. Owned by this object. */
  readonly weights: ReadonlyMap<string, tf.Variable>;
  /** What linear maps and the output projection are computed in; whoever trains it sets that. */
  precision: Precision = 'float32';
  /** What its gradients compute again rather than keep; likewise. */
  recompute: Recompute = 'none';
  /** Which attention learns from the alignments of batches that have some; likewise. */
  guidance: Guidance | null = null;
  /** Patterns of names that are not trained. */
  private readonly freeze: readonly string[];

  private constructor(
    config: ModelConfig,
    vocabulary: VocabularySizes,
    tensorOf: (name: string, place: number, shape: readonly number[]) => tf.Tensor,
    freeze: readonly string[],
  ) {
    this.config = config;
    this.vocabulary = vocabulary;
    this.freeze = freeze;
    const constants = constantNames(config, vocabulary, freeze);
    this.weights = new Map(
      parameterSpecs(config, vocabulary).map(({ name, shape }, place) => [
        name,
        tf.tidy(() => tf.variable(tensorOf(name, place, shape), !constants.has(name))),
      ]),
    );
  }

  /**
   * A new model with initial weights.
   *
   * @param omega initial ω of each sublayer for `residual: admin`; null for 1 everywhere (the model that is
   *   profiled). With `omega.init: analytic` the formula of the depth is taken.
   * @param freeze patterns of names that are not trained, see frozenNames
   * @throws UserError for one that is larger than the memory
   */
  static create(
    config: ModelConfig,
    vocabulary: VocabularySizes,
    seed: number,
    omega: OmegaValues | null = null,
    freeze: readonly string[] = [],
  ): Transformer {
    checkModelMemory(config, vocabulary);
    const specs = parameterSpecs(config, vocabulary);
    const given = config.omega.init === 'analytic' ? analyticOmega(config) : omega;
    const values = new Map<string, number>();
    if (given !== null) {
      for (const stack of STACKS) {
        sitesOf(config, stack).forEach((site, i) => {
          values.set(omegaName(site), given[stack][i]);
        });
      }
    }
    const tensorOf = (name: string, place: number, shape: readonly number[]): tf.Tensor => {
      const initial = initialValues(specs[place], place, seed);
      const filled = values.get(name);
      return tf.tensor(filled === undefined ? initial : initial.fill(filled), [...shape]);
    };
    return new Transformer(config, vocabulary, tensorOf, freeze);
  }

  /**
   * A model with given weights.
   *
   * @param where names the source in errors, a file
   * @param freeze patterns of names that are not trained, see frozenNames
   * @throws UserError naming the first parameter that is missing, unknown or of another shape
   */
  static fromWeights(
    config: ModelConfig,
    vocabulary: VocabularySizes,
    weights: ReadonlyMap<string, WeightValues>,
    where?: string,
    freeze: readonly string[] = [],
  ): Transformer {
    checkWeights(config, vocabulary, weights, where);
    const tensorOf = (name: string, _: number, shape: readonly number[]): tf.Tensor =>
      tf.tensor(weights.get(name)!.data, [...shape]);
    return new Transformer(config, vocabulary, tensorOf, freeze);
  }

  /** A model of its own with the same weights. */
  copy(): Transformer {
    // A clone would share the memory, which an update overwrites.
    const tensorOf = (name: string): tf.Tensor => tf.mul(this.weights.get(name)!, 1);
    const copy = new Transformer(this.config, this.vocabulary, tensorOf, this.freeze);
    copy.precision = this.precision;
    return copy;
  }

  /** The weights that are trained, in a fixed order. */
  get trainable(): tf.Variable[] {
    return [...this.weights.values()].filter(({ trainable }) => trainable);
  }

  /** Numbers in all weights. */
  get size(): number {
    return [...this.weights.values()].reduce((sum, weight) => sum + weight.size, 0);
  }

  /** One forward pass, which numbers its dropout masks from the first on; encode and decode of a batch share it. */
  pass(mode: Mode, precision = this.precision): Pass {
    return new Pass(this.config, this.weights, mode, precision);
  }

  /** @returns hidden states of the encoder, [Ts, d] */
  encode(source: Packed, mode: Mode | Pass): tf.Tensor2D {
    return finish(this.encoderSteps(source, this.begin(mode)));
  }

  /**
   * @param memory hidden states of the encoder, [Ts, d]
   * @returns hidden states of the decoder, [Tt, d]
   */
  decode(
    targetInput: Packed,
    memory: tf.Tensor2D,
    sourceOffsets: Int32Array,
    mode: Mode | Pass,
  ): tf.Tensor2D {
    return finish(this.decoderSteps(targetInput, memory, sourceOffsets, this.begin(mode)));
  }

  /** As `encode`, one sublayer after another. */
  encoderSteps(source: Packed, pass: Pass): Steps {
    return encoderSteps(pass, source);
  }

  /** As `decode`, one sublayer after another. */
  decoderSteps(targetInput: Packed, memory: tf.Tensor2D, sourceOffsets: Int32Array, pass: Pass): Steps {
    return decoderSteps(pass, targetInput, memory, sourceOffsets);
  }

  /** The output projection, [V, d]. */
  outputWeight(): tf.Tensor2D {
    return this.weights.get(outputName(this.config)) as unknown as tf.Tensor2D;
  }

  /** The bias of the output projection, [V], where there is one. */
  outputBias(): tf.Tensor1D | null {
    return (this.weights.get(OUTPUT_BIAS) as unknown as tf.Tensor1D | undefined) ?? null;
  }

  /**
   * Loss of a batch, summed over its target tokens, in nats. The gradient of `loss` has that of the alignments with it.
   *
   * @param labelSmoothing ε
   */
  loss(batch: Batch, labelSmoothing: number, mode: Mode): BatchLosses {
    const { guidance } = this;
    const guide = guidance && batch.links ? guided(mode, batch, guidance, this.config) : null;
    const pass = this.pass(guide?.mode ?? mode);
    const memory = this.encode(batch.source, pass);
    const hidden = this.decode(batch.targetInput, memory, batch.source.offsets, pass);
    const losses = this.lossOf(hidden, batch, labelSmoothing, mode.training?.lossScale);
    if (guide === null) return losses;
    const kept = guide.found();
    const alignment = tf.clone(kept); // as the others: whoever calls this may have a tidy around it
    kept.dispose();
    return { ...losses, alignment };
  }

  /** The same from hidden states of the decoder, [Tt, d]. */
  lossOf(hidden: tf.Tensor2D, { targetOutput }: Batch, labelSmoothing: number, lossScale = 1): TokenLosses {
    const [states, weight] = withBias(hidden, this.outputWeight(), this.outputBias());
    return smoothedCrossEntropy(states, weight, targetOutput, labelSmoothing, this.precision, lossScale);
  }

  dispose(): void {
    for (const weight of this.weights.values()) weight.dispose();
  }

  private begin(mode: Mode | Pass): Pass {
    return mode instanceof Pass ? mode : this.pass(mode);
  }
}

/** A bias is one more column of the weight, which a hidden state has 1 for: the product is the same. */
function withBias(
  hidden: tf.Tensor2D,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D | null,
): [hidden: tf.Tensor2D, weight: tf.Tensor2D] {
  if (bias === null) return [hidden, weight];
  const column = tf.reshape(bias, [-1, 1]) as tf.Tensor2D;
  return [tf.concat([hidden, tf.ones([hidden.shape[0], 1])], 1), tf.concat([weight, column], 1)];
}

/**
 * Checks that weights are those of a model.
 *
 * @param where names the source in errors, a file
 * @throws UserError naming the first parameter that is missing, unknown or of another shape
 */
export function checkWeights(
  config: ModelConfig,
  vocabulary: VocabularySizes,
  weights: ReadonlyMap<string, { shape: readonly number[] }>,
  where?: string,
): void {
  const hint =
    'The weights belong to a model of another config or vocabulary; use the config.yaml and dictionaries of their run.';
  const specs = parameterSpecs(config, vocabulary);
  for (const { name, shape } of specs) {
    const found = weights.get(name);
    if (found === undefined) {
      throw new UserError({
        problem: `expected a parameter '${name}' of shape [${shape}], found none`,
        where,
        hint,
      });
    }
    if (found.shape.length !== shape.length || found.shape.some((size, axis) => size !== shape[axis])) {
      throw new UserError({
        problem: `expected '${name}' of shape [${shape}], found [${found.shape}]`,
        where,
        hint,
      });
    }
  }
  const names = new Set(specs.map(({ name }) => name));
  for (const name of weights.keys()) {
    if (!names.has(name)) {
      throw new UserError({
        problem: `found a parameter '${name}' that this model does not have`,
        where,
        hint,
      });
    }
  }
}
