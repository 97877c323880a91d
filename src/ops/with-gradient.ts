import { tf } from './tf.js';

export interface Differentiated<T extends tf.Tensor> {
  value: T;
  /** Gradients of the inputs, in their order, from that of the value; runs in a tidy of its own. */
  gradient: (dy: T) => tf.Tensor[];
}

/**
 * An op with a handwritten gradient. What the gradient uses of the forward pass goes through `keep`, which gives
 * it back inside the gradient; everything else that the forward pass makes is released at once. The gradient runs once;
 * what was kept, and the gradient of the value, are released as soon as it has run.
 *
 * @param inputs the tensors that the gradient is taken of
 */
export function withGradient<T extends tf.Tensor>(
  inputs: tf.Tensor[],
  forward: (keep: <K extends tf.Tensor>(tensor: K) => () => K) => Differentiated<T>,
): T {
  // Where nobody asks for gradients, nothing is kept for them.
  if (!tf.engine().isTapeOn()) return tf.tidy(() => forward((tensor) => () => tensor).value);
  const op = tf.customGrad((...args) => {
    const save = args[args.length - 1] as tf.GradSaveFunc;
    const kept: tf.Tensor[] = [];
    let saved: tf.Tensor[] = [];
    const keep = <K extends tf.Tensor>(tensor: K) => {
      const place = kept.push(tensor) - 1;
      return () => saved[place] as K;
    };
    const { value, gradient } = forward(keep);
    save(kept);
    return {
      value: value as tf.Tensor,
      gradFunc: (dy: tf.Tensor, savedTensors: tf.Tensor[]) => {
        saved = savedTensors;
        const gradients = tf.tidy(() => gradient(dy as T));
        // tfjs would keep both until the whole backward pass ends. What is saved are clones, and nobody else reads dy.
        tf.dispose(savedTensors);
        if (!gradients.includes(dy)) dy.dispose();
        return gradients;
      },
    };
  });
  return op(...inputs) as T;
}
