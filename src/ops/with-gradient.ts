import { recordNode } from './differentiate.js';
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
 * It is `tf.customGrad` without what that does beside: a kernel and a node of the tape for every tensor that is kept.
 *
 * @param inputs the tensors that the gradient is taken of
 */
export function withGradient<T extends tf.Tensor>(
  inputs: tf.Tensor[],
  forward: (keep: <K extends tf.Tensor>(tensor: K) => () => K) => Differentiated<T>,
): T {
  const engine = tf.engine();
  // Where nobody asks for gradients, nothing is kept for them.
  if (!engine.isTapeOn()) return tf.tidy(() => forward((tensor) => () => tensor).value);
  const kept: tf.Tensor[] = [];
  const keep = <K extends tf.Tensor>(tensor: K) => {
    if (tensor instanceof tf.Variable) return () => tensor; // a weight stays
    const saved = lasting(tensor);
    kept.push(saved);
    return () => saved;
  };
  let gradient: Differentiated<T>['gradient'] | undefined;
  engine.state.kernelDepth++; // what it is made of is not recorded
  let value: T;
  try {
    value = tf.tidy(() => {
      const made = forward(keep);
      gradient = made.gradient;
      return made.value;
    });
  } catch (error) {
    for (const tensor of kept) tensor.dispose();
    throw error;
  } finally {
    engine.state.kernelDepth--;
  }
  recordNode(inputs, value, kept, (dy) => {
    const gradients = tf.tidy(() => gradient!(dy as T));
    // They would stay until the whole backward pass ends. What is kept are copies, and nobody else reads dy.
    for (const tensor of kept) tensor.dispose();
    if (!gradients.includes(dy)) dy.dispose();
    if (gradients.length !== inputs.length)
      throw new Error(
        `expected the same number of tensors as inputs, ${inputs.length}, found ${gradients.length}`,
      );
    return gradients;
  });
  return value;
}

/** The same values as another tensor, which no tidy disposes of. */
function lasting<K extends tf.Tensor>({ dataId, shape, dtype }: K): K {
  const engine = tf.engine();
  engine.backend.incRef(dataId);
  return tf.keep(engine.makeTensorFromTensorInfo({ dataId, shape, dtype })) as K;
}
