import type { Precision } from '../common/precision.js';
import { type Activation, activate } from './feed-forward.js';
import { hasKernel, runFused } from './kernels.js';
import { transposed } from './matmul.js';
import { tf } from './tf.js';

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

  /**
   * @param weight [out, in]
   * @param bias [out] or null
   * @param precision on a backend without these kernels float32 in any case
   */
  constructor(weight: tf.Tensor2D, bias: tf.Tensor1D | null, precision: Precision = 'float32') {
    this.out = weight.shape[0];
    this.precision = precision;
    this.packed = hasKernel('PackWeight', 'PackedLinear');
    this.prepared = this.packed
      ? runFused('PackWeight', { weight }, { precision })[0]
      : tf.tidy(() => transposed(weight));
    this.bias = bias === null ? null : bias.clone();
    tf.keep(this.prepared);
    if (this.bias !== null) tf.keep(this.bias);
  }

  /** x·Wᵀ + b, after an activation if one is given (then there has to be a bias): x [T, in] → [T, out] */
  apply(x: tf.Tensor2D, activation: Activation | null = null): tf.Tensor2D {
    const { prepared, bias, out, precision } = this;
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
