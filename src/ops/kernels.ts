import type { Precision } from '../common/precision.js';
import { tf } from './tf.js';

/*
 * The contract between the ops and a backend with fused kernels: the kernels' names, what goes in and what comes out.
 * A backend registers those that it has with tfjs. An op that lacks one of its kernels runs its reference composite.
 */

/** Names the mask of one dropout: a function of these and of the element's index alone (Philox). */
export interface MaskKey {
  seed: number;
  /** Counts micro-batches. */
  step: number;
  /** Which dropout of the model. */
  site: number;
}

/** Rate and name of a dropout mask; null is no dropout. */
export type KernelDropout = (MaskKey & { rate: number }) | null;

/** Where q, k and v lie: in one tensor of the list, from a column on. */
export interface HeadPlace {
  /** Index among the input tensors. */
  tensor: number;
  column: number;
}

export interface AttentionAttributes {
  q: HeadPlace;
  k: HeadPlace;
  v: HeadPlace;
  /** d = heads · head width. */
  width: number;
  heads: number;
  causal: boolean;
  queryOffsets: Int32Array;
  keyOffsets: Int32Array;
  dropout: KernelDropout;
}

/** Lists of tensors, as they are: to name each of hundreds of inputs would take longer than to compute. */
type Lists<Name extends string> = Record<Name, readonly tf.TensorInfo[]>;

/** Shapes: T tokens, d width, f inner width, V vocabulary; `?` may be absent. Gradients are named after their inputs. */
export interface Kernels {
  /** x [T, in], weight [out, in], bias? [out] → y [T, out] */
  Linear: { inputs: 'x' | 'weight' | 'bias'; attributes: { precision: Precision } };
  /** dy, x, weight → dx, dWeight, and dBias where there is a bias */
  LinearGradient: { inputs: 'dy' | 'x' | 'weight' | 'bias'; attributes: { precision: Precision } };
  /** The same without dx. */
  WeightGradient: { inputs: 'dy' | 'x' | 'weight' | 'bias'; attributes: { precision: Precision } };
  /** weight [out, in] → the same as PackedLinear reads it, of no shape of its own */
  PackWeight: { inputs: 'weight'; attributes: { precision: Precision } };
  /** x [T, in], packed from a weight [out, in], bias? [out] → y [T, out], the bits of Linear; after an activation if any */
  PackedLinear: {
    inputs: 'x' | 'packed' | 'bias';
    attributes: { out: number; activation: 'relu' | 'gelu' | null; precision: Precision };
  };
  /** x [T, d], weight [f, d], bias [f] → h [T, f] and, for gelu, the sum before the activation [T, f] */
  FeedForwardInner: {
    inputs: 'x' | 'weight' | 'bias';
    attributes: { activation: 'relu' | 'gelu'; dropout: KernelDropout; precision: Precision };
  };
  /** dy [T, d], weight [d, f] of the outer product, kept (h for relu, the sum for gelu) → gradient of that sum [T, f] */
  FeedForwardInnerGradient: {
    inputs: 'dy' | 'weight' | 'kept';
    attributes: { activation: 'relu' | 'gelu'; dropout: KernelDropout; precision: Precision };
  };
  /** See `residual` of ops/residual.ts. x, f [T, d], omega? [d], gate? [1], gain?, bias? [d] → y, and with gain normal, inverse */
  Residual: {
    inputs: 'x' | 'f' | 'omega' | 'gate' | 'gain' | 'bias';
    attributes: { alpha: number; dropout: KernelDropout };
  };
  /** → dx, df, then those of omega, gate, gain, bias that were there */
  ResidualGradient: {
    inputs: 'dy' | 'x' | 'f' | 'omega' | 'gate' | 'gain' | 'bias' | 'normal' | 'inverse';
    attributes: { alpha: number; dropout: KernelDropout };
  };
  /** x [T, d], gain, bias [d] → y, normal [T, d], inverse [T] */
  LayerNorm: { inputs: 'x' | 'gain' | 'bias'; attributes: Record<string, never> };
  /** → dx, dGain, dBias */
  LayerNormGradient: {
    inputs: 'dy' | 'normal' | 'inverse' | 'gain' | 'bias';
    attributes: Record<string, never>;
  };
  /** one to three tensors named 0, 1, 2 → out [Tq, d], and for its gradient logPartition of Tq · heads or more */
  Attention: { inputs: '0' | '1' | '2'; attributes: AttentionAttributes };
  /** the same, out, logPartition and dy → the gradients of the tensors */
  AttentionGradient: {
    inputs: '0' | '1' | '2' | 'out' | 'logPartition' | 'dy';
    attributes: AttentionAttributes;
  };
  /** table [V, d], positions? [P, d] → dropout(table[tokens] · scale + positions[places]) [T, d] */
  Embedding: {
    inputs: 'table' | 'positions';
    attributes: {
      tokens: Int32Array;
      places: Int32Array;
      scale: number;
      dropout: KernelDropout;
      /** What is computed from the result, so that a backend may store it so. */
      precision: Precision;
    };
  };
  /** dy [T, d] → gradient of a table of `rows` rows: Σ of dropout(dy) · scale over equal indices */
  EmbeddingGradient: {
    inputs: 'dy';
    attributes: { indices: Int32Array; rows: number; scale: number; dropout: KernelDropout };
  };
  /** hidden [T, d], weight [V, d] → losses [2], and with `gradient` dHidden, dWeight of the first times `lossScale` */
  CrossEntropy: {
    inputs: 'hidden' | 'weight';
    attributes: {
      targets: Int32Array;
      epsilon: number;
      gradient: boolean;
      /** 1 but under float16. */
      lossScale: number;
      precision: Precision;
    };
  };
  /**
   * Lists parameter, gradient, first, second. Overwrites all but gradient, unless scale [1] is not finite; gradient · scale
   * is used. → nothing
   */
  Adam: {
    inputs: 'scale';
    attributes: { beta1: number; beta2: number; step: number; epsilon: number; decay: number } & Lists<
      'parameter' | 'gradient' | 'first' | 'second'
    >;
  };
  /** Lists average, parameter. Overwrites average with average + share · (parameter − average). → nothing */
  MovingAverage: { inputs: never; attributes: { share: number } & Lists<'average' | 'parameter'> };
  /** List tensor: see `layTogether`. → nothing */
  LayTogether: { inputs: never; attributes: Lists<'tensor'> };
  /** Lists sum, term. Overwrites sum with sum + term. → nothing */
  AddLists: { inputs: never; attributes: Lists<'sum' | 'term'> };
  /** List tensor → √Σx² [] */
  GlobalNorm: { inputs: never; attributes: Lists<'tensor'> };
  /** logits [N, V] → ids, log-probabilities [N · k], and that of the id that is asked for [N] */
  TopLogProbs: { inputs: 'logits'; attributes: { k: number; forbid: Int32Array; asked: number } };
  /** x [N, S] → of each row the columns of its list, then −∞, [N, width]; see `pickColumns` */
  PickColumns: {
    inputs: 'x';
    attributes: { columns: Int32Array; offsets: Int32Array; rows: Int32Array; width: number };
  };
  /**
   * Overwrites rows of stored [P, d], from `first` on, with rows [N, ≥ d] from a column on: with all of them in turn, or
   * with those at `from`. They may be rows of `stored` itself, each moved to the front, in their order. → nothing
   */
  StoreRows: {
    inputs: 'rows' | 'stored';
    attributes: { column: number; first: number; from: Int32Array | null };
  };
  /** rows [P, d] → [size, d] that begins with them; what stands behind them is not said */
  GrowRows: { inputs: 'rows'; attributes: { size: number } };
  /** queries [N, ≥ d] from a column on, keys and values [P, d] → [N, d]; see `KeyValueStore` */
  CachedAttention: {
    inputs: 'queries' | 'keys' | 'values';
    attributes: { heads: number; column: number; places: Int32Array; offsets: Int32Array };
  };
  /** x of any shape, factor [1] or [] → x · factor */
  ScaleBy: { inputs: 'x' | 'factor'; attributes: Record<string, never> };
  /** x of any shape → the same under a mask */
  Dropout: { inputs: 'x'; attributes: { dropout: KernelDropout } };
}

export type KernelName = keyof Kernels;

/** Whether the current backend has a kernel, or all of several that an op needs together. */
export function hasKernel(...names: readonly KernelName[]): boolean {
  const backend = tf.getBackend();
  return names.every((name) => tf.getKernel(name, backend) != null);
}

/** Runs a fused kernel. Inputs that are null are left out. */
export function runFused<N extends KernelName>(
  name: N,
  inputs: Partial<Record<Kernels[N]['inputs'], tf.Tensor | null>>,
  attributes: Kernels[N]['attributes'],
): tf.Tensor[] {
  const given = inputs as Record<string, tf.Tensor | null>;
  const present: tf.NamedTensorMap = {};
  for (const input in given) if (given[input] != null) present[input] = given[input];
  const outputs = tf.engine().runKernel(name, present, attributes as unknown as tf.NamedAttrMap);
  return Array.isArray(outputs) ? outputs : [outputs];
}

/** Names a mask for a kernel. */
export function kernelDropout(rate: number, key: MaskKey | null): KernelDropout {
  return key === null || rate === 0 ? null : { ...key, rate };
}
