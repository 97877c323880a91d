import { isFused, runFused } from './kernels.js';
import { transposed } from './matmul.js';
import { tf } from './tf.js';

/** A weight that many products share, in the form that the backend multiplies fastest. Without a gradient. */
export class SharedWeight {
  private readonly out: number;
  private readonly prepared: tf.Tensor;

  /** @param weight [out, in] */
  constructor(weight: tf.Tensor2D) {
    this.out = weight.shape[0];
    this.prepared = isFused() ? runFused('PackWeight', { weight }, {})[0] : tf.tidy(() => transposed(weight));
  }

  /** x·Wᵀ: x [T, in] → [T, out] */
  apply(x: tf.Tensor2D): tf.Tensor2D {
    if (!isFused()) return tf.matMul(x, this.prepared as tf.Tensor2D);
    return runFused('PackedLinear', { x, packed: this.prepared }, { out: this.out })[0] as tf.Tensor2D;
  }

  dispose(): void {
    this.prepared.dispose();
  }
}
