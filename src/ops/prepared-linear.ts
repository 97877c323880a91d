import type { Precision } from '../common/precision.js';
import { type Activation, activate, isFused } from './feed-forward.js';
import { hasKernel, runFused } from './kernels.js';
import { transposed } from './matmul.js';
import { tf } from './tf.js';

/** A linear map as threads hand it on: in memory that they share, if the values lie in such memory. */
export interface LinearParts {
  out: number;
  precision: Precision;
  /** The weight as the backend packed it. */
  packed: Float32Array;
  /** [out] */
  bias: Float32Array | null;
}

/**
 * A linear map that many products share, its weight in the form that the backend multiplies fastest: what decoding
 * uses at every step. The bits of `linear`, where that has the precision; without a gradient. It does not see later changes of the weight.
 */
export class PreparedLinear {
  private readonly out: number;
  private readonly precision: Precision;
  private readonly packed: boolean;
  private readonly prepared: tf.Tensor;
  private readonly bias: tf.Tensor1D | null;

  private constructor(
    out: number,
    precision: Precision,
    packed: boolean,
    prepared: tf.Tensor,
    bias: tf.Tensor1D | null,
  ) {
    this.out = out;
    this.precision = precision;
    this.packed = packed;
    this.prepared = tf.keep(prepared);
    this.bias = bias === null ? null : tf.keep(bias);
  }

  /**
   * @param weight [out, in]
   * @param bias [out] or null
   * @param precision on a backend without these kernels float32 in any case
   */
  static of(weight: tf.Tensor2D, bias: tf.Tensor1D | null, precision: Precision = 'float32'): PreparedLinear {
    const packed = hasKernel('PackWeight', 'PackedLinear');
    const prepared = packed
      ? runFused('PackWeight', { weight }, { precision })[0]
      : tf.tidy(() => transposed(weight));
    return new PreparedLinear(weight.shape[0], precision, packed, prepared, bias?.clone() ?? null);
  }

  /** One that this backend, on whatever thread, has packed. */
  static from({ out, precision, packed, bias }: LinearParts): PreparedLinear {
    return new PreparedLinear(out, precision, true, tf.tensor1d(packed), bias && tf.tensor1d(bias));
  }

  /** The same with its packed weight taken elsewhere; this one is gone then. */
  moved(to: (tensor: tf.Tensor) => tf.Tensor): PreparedLinear {
    const { out, precision, packed, prepared, bias } = this;
    const there = new PreparedLinear(out, precision, packed, to(prepared), bias);
    prepared.dispose();
    return there;
  }

  /** Its parts, in memory of their own or, where it is made of such, in that which threads share. */
  async parts(): Promise<LinearParts> {
    const { out, precision, prepared, bias } = this;
    const values = await prepared.data<'float32'>();
    return { out, precision, packed: values, bias: bias === null ? null : await bias.data<'float32'>() };
  }

  /** x·Wᵀ + b, after an activation if one is given (then there has to be a bias): x [T, in] → [T, out] */
  apply(x: tf.Tensor2D, activation: Activation | null = null): tf.Tensor2D {
    const { prepared, bias, out, precision } = this;
    if (activation !== null && !isFused(activation))
      return tf.tidy(() => activate(this.apply(x), activation));
    if (this.packed) {
      return runFused(
        'PackedLinear',
        { x, packed: prepared, bias },
        { out, activation, precision },
      )[0] as tf.Tensor2D;
    }
    return tf.tidy(() => {
      const product = tf.matMul<tf.Tensor2D>(x, prepared as tf.Tensor2D);
      const sum: tf.Tensor2D = bias === null ? product : tf.add(product, bias);
      return activation === null ? sum : activate(sum, activation);
    });
  }

  dispose(): void {
    tf.dispose([this.prepared, ...(this.bias === null ? [] : [this.bias])]);
  }
}
