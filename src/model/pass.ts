import type { Precision } from '../common/precision.js';
import { SCHEMES, type Scheme } from '../config/residual-schemes.js';
import type { ModelConfig, TrainConfig } from '../config/schema.js';
import type { HeadRows } from '../ops/attention.js';
import { dropout } from '../ops/dropout.js';
import type { MaskKey } from '../ops/kernels.js';
import { layerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/matmul.js';
import { PreparedLinear } from '../ops/prepared-linear.js';
import { type ResidualOptions, residual, residualParts } from '../ops/residual.js';
import { tf } from '../ops/tf.js';
import { deepnormConstants, layerPrefix, normName, omegaName, type Site, type Stack } from './scheme.js';
import { placeOfParameter } from './site-names.js';

/**
 * Looks at a residual sublayer as it is computed.
 *
 * @param shortcut x·ω (x·α in DeepNorm, x where there is neither; x + the layer's input at its end in B2T), [T, d]
 * @param branch f(x) after dropout (times ReZero's scalar where there is one), [T, d]
 */
export type Probe = (site: Site, shortcut: tf.Tensor2D, branch: tf.Tensor2D) => void;

/**
 * Sees the output of a residual sublayer, and gives what the next one reads: the output itself, or one whose gradient
 * it can see.
 *
 * @param output [T, d]
 */
export type Tap = (site: Site, output: tf.Tensor2D) => tf.Tensor2D;

/**
 * Looks at the attention of a decoder layer to the encoder before it is computed.
 *
 * @param queries [Tt, d], and keys, [Ts, d], of all heads
 */
export type AttentionWatch = (layer: number, queries: HeadRows, keys: HeadRows) => void;

export interface Mode {
  /**
   * Dropout on, with the masks of this seed and step (which counts micro-batches); null for evaluation. Gradients are
   * times `lossScale`, see train/loss-scale.ts.
   */
  training: { seed: number; step: number; lossScale?: number } | null;
  probe?: Probe;
  tap?: Tap;
  watchAttention?: AttentionWatch;
  /** Takes the place of the trained ω of a sublayer: profiling finds them one after another. */
  omega?: (site: Site) => tf.Tensor1D;
  /** For decoding: linear maps are taken from here, and put here when they are first needed. */
  prepared?: PreparedLinears;
  /** Whether the backward pass computes layers again, of which only their inputs are kept. */
  recompute?: Recompute;
}

/** What the backward pass computes again rather than find it kept. */
export type Recompute = TrainConfig['recompute'];

/** The linear maps of a model, prepared for many products, by a name. */
export class PreparedLinears {
  private readonly maps = new Map<string, PreparedLinear>();
  private readonly place: (made: PreparedLinear) => PreparedLinear;

  /** @param place takes what was made to where it is to stay */
  constructor(place = (made: PreparedLinear): PreparedLinear => made) {
    this.place = place;
  }

  has(name: string): boolean {
    return this.maps.has(name);
  }

  [Symbol.iterator](): IterableIterator<[string, PreparedLinear]> {
    return this.maps[Symbol.iterator]();
  }

  get(name: string, make: () => PreparedLinear): PreparedLinear {
    const known = this.maps.get(name) ?? this.place(make());
    this.maps.set(name, known);
    return known;
  }

  dispose(): void {
    for (const map of this.maps.values()) map.dispose();
    this.maps.clear();
  }
}

/** What one forward pass needs to know: the weights by name, the schemes, and the next dropout mask. */
export class Pass {
  readonly config: ModelConfig;
  /** What linear maps are computed in. */
  readonly precision: Precision;
  private readonly weights: ReadonlyMap<string, tf.Tensor>;
  private readonly mode: Mode;
  private dropoutSites = 0;

  /** @param mode with `prepared`, weights are those of when they were first used */
  constructor(
    config: ModelConfig,
    weights: ReadonlyMap<string, tf.Tensor>,
    mode: Mode,
    precision: Precision,
  ) {
    this.precision = precision;
    this.config = config;
    this.weights = weights;
    this.mode = mode;
  }

  /** Whether layers are to be computed again in the backward pass. */
  get recomputes(): boolean {
    return this.mode.recompute === 'layers';
  }

  /** Whether there is a linear map of this name: one that is prepared, or a weight to make it of. */
  hasMap(name: string, weight: string): boolean {
    return this.mode.prepared?.has(name) === true || this.weights.has(weight);
  }

  scheme(stack: Stack): Scheme {
    return SCHEMES[this.config.residual][stack];
  }

  matrix(name: string): tf.Tensor2D {
    return this.weight(name) as tf.Tensor2D;
  }

  vector(name: string): tf.Tensor1D {
    return this.weight(name) as tf.Tensor1D;
  }

  /** The linear maps to use in place of `linear`, where there are any. */
  get prepared(): PreparedLinears | undefined {
    return this.mode.prepared;
  }

  /** x·Wᵀ + b by the official names of W and b, `map.weight` and `map.bias`. */
  linear(x: tf.Tensor2D, map: string): tf.Tensor2D {
    return (
      this.preparedLinear(map)?.apply(x) ??
      linear(x, this.matrix(`${map}.weight`), this.vector(`${map}.bias`), this.precision)
    );
  }

  /** The same map prepared, where linear maps are. */
  preparedLinear(map: string): PreparedLinear | undefined {
    const make = () =>
      PreparedLinear.of(this.matrix(`${map}.weight`), this.vector(`${map}.bias`), this.precision);
    return this.mode.prepared?.get(map, make);
  }

  /** Who looks at the attention of the decoder to the encoder, if anybody does. */
  get attentionWatch(): AttentionWatch | undefined {
    return this.mode.watchAttention;
  }

  /** Names the mask of the next dropout; the order of the forward pass numbers them. */
  nextMask(): MaskKey | null {
    const { training } = this.mode;
    return training && { seed: training.seed, step: training.step, site: this.dropoutSites++ };
  }

  /**
   * Something that may be done again, with the masks that it had the first time: nothing else is numbered between.
   */
  repeatable<A extends unknown[], T>(work: (...inputs: A) => T): (...inputs: A) => T {
    let first: number | undefined;
    return (...inputs) => {
      first ??= this.dropoutSites;
      this.dropoutSites = first;
      return work(...inputs);
    };
  }

  /** Whether a weight whose name begins so is trained. */
  trains(prefix: string): boolean {
    return [...this.weights].some(([name, weight]) => name.startsWith(prefix) && isTrained(weight));
  }

  /** The trained weights of each layer of a stack. */
  trainedByLayer(stack: Stack): tf.Variable[][] {
    const layers: tf.Variable[][] = Array.from({ length: this.config[stack].layers }, () => []);
    for (const [name, weight] of this.weights) {
      if (!isTrained(weight)) continue;
      const place = placeOfParameter(name);
      if (place.stack === stack && place.layer !== null) layers[place.layer].push(weight);
    }
    return layers;
  }

  /** Dropout of embeddings and branches. */
  dropout(x: tf.Tensor2D): tf.Tensor2D {
    return dropout(x, this.config.dropout, this.nextMask());
  }

  layerNorm(x: tf.Tensor2D, name: string): tf.Tensor2D {
    return layerNorm(x, this.vector(`${name}.weight`), this.vector(`${name}.bias`));
  }

  /** Whether a branch normalises what its last linear map reads, by a norm of this name. */
  hasInnerNorm(name: string): boolean {
    return this.weights.has(`${name}.weight`);
  }

  /** What the last linear map of a branch reads: x, or x by the norm of this name where there is one. */
  innerNorm(x: tf.Tensor2D, name: string): tf.Tensor2D {
    return this.hasInnerNorm(name) ? this.layerNorm(x, name) : x;
  }

  /**
   * One residual sublayer in the scheme of its stack.
   *
   * @param x [T, d]
   * @param branch f, before its dropout
   * @param layerInput what the shortcut has added, [T, d]; null for nothing
   */
  residual(
    site: Site,
    x: tf.Tensor2D,
    branch: (input: tf.Tensor2D) => tf.Tensor2D,
    layerInput: tf.Tensor2D | null = null,
  ): tf.Tensor2D {
    const { norm, gate, shortcut } = this.scheme(site.stack);
    const name = normName(site);
    const output = branch(norm === 'pre' ? this.layerNorm(x, name) : x);
    const options: ResidualOptions = {
      dropout: this.config.dropout,
      key: this.nextMask(),
      alpha: shortcut === 'alpha' ? deepnormConstants(this.config, site.stack).alpha : 1,
      omega: this.omega(site),
      gate: gate ? this.vector(`${layerPrefix(site.stack, site.layer)}rezero_weight`) : null,
      norm:
        norm === 'post' ? { gain: this.vector(`${name}.weight`), bias: this.vector(`${name}.bias`) } : null,
    };
    const carried = layerInput === null ? x : tf.add<tf.Tensor2D>(x, layerInput);
    if (this.mode.probe !== undefined) this.look(this.mode.probe, site, carried, output, options);
    const joined = residual(carried, output, options);
    return this.mode.tap?.(site, joined) ?? joined;
  }

  private look(
    probe: Probe,
    site: Site,
    x: tf.Tensor2D,
    branch: tf.Tensor2D,
    options: ResidualOptions,
  ): void {
    const { shortcut, output } = residualParts(x, branch, options);
    probe(site, options.omega === null ? shortcut : tf.mul(shortcut, options.omega), output);
  }

  private omega(site: Site): tf.Tensor1D | null {
    if (this.scheme(site.stack).shortcut !== 'omega') return null;
    return this.mode.omega?.(site) ?? this.vector(omegaName(site));
  }

  private weight(name: string): tf.Tensor {
    const weight = this.weights.get(name);
    if (weight === undefined) throw new Error(`the model has no parameter '${name}'`);
    return weight;
  }
}

function isTrained(weight: tf.Tensor): weight is tf.Variable {
  return weight instanceof tf.Variable && weight.trainable;
}
