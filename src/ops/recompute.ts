import { differentiate } from './differentiate.js';
import { tf } from './tf.js';
import { withGradient } from './with-gradient.js';

/** What a chain reads. */
export interface ChainInput {
  tensor: tf.Tensor2D;
  /** Whether a gradient of it is wanted. */
  trained: boolean;
}

/** One computation of a chain. */
export interface Link {
  /** Its own, of which gradients are wanted; no other link reads them. */
  weights: readonly tf.Variable[];
  /**
   * From the result of the link before to the next result. It is called once in the forward pass and once more in the
   * backward pass, and has to do the same both times.
   *
   * @param shared what all links read
   */
  compute: (x: tf.Tensor2D, shared: tf.Tensor2D | null) => tf.Tensor2D;
}

/**
 * Computations one after another, of which only what each begins with is kept: the backward pass computes a link again
 * before it goes back through it. Values and gradients are those of the links by themselves, bit for bit.
 *
 * @param x what the first link begins with
 * @param shared what all links read, if anything
 */
export function recomputedChain(
  x: ChainInput,
  shared: ChainInput | null,
  links: readonly Link[],
): tf.Tensor2D {
  const sharedTrained = shared?.trained === true;
  const inputs = [
    ...(x.trained ? [x.tensor] : []),
    ...(sharedTrained ? [shared.tensor] : []),
    ...links.flatMap(({ weights }) => weights),
  ];
  return withGradient<tf.Tensor2D>(inputs, (keep) => {
    const savedShared = shared === null ? () => null : keep(shared.tensor);
    const saved: (() => tf.Tensor2D)[] = [];
    let hidden = x.tensor;
    for (const { compute } of links) {
      saved.push(keep(hidden));
      const before = hidden;
      hidden = tf.tidy(() => compute(before, shared?.tensor ?? null));
    }
    return {
      value: hidden,
      gradient: (dy) => {
        const lowest = x.trained || sharedTrained ? 0 : links.findIndex(({ weights }) => weights.length > 0);
        const ofWeights: tf.Tensor[][] = [];
        let slope = dy;
        let ofShared: tf.Tensor2D | null = null;
        for (let i = links.length - 1; i >= lowest; i--) {
          const begun = saved[i]();
          const wanted = { x: i > lowest || x.trained, shared: sharedTrained };
          const found = backwards(links[i], begun, savedShared(), wanted, slope, ofShared);
          begun.dispose(); // it would stay until the last of them is done
          ofWeights.unshift(found.weights);
          ofShared = found.shared;
          slope = found.x ?? slope;
        }
        return [...(x.trained ? [slope] : []), ...(ofShared === null ? [] : [ofShared]), ...ofWeights.flat()];
      },
    };
  });
}

/** Gradients of a link, which is computed again. @param ofShared those of the links after it, which is used up */
function backwards(
  { weights, compute }: Link,
  x: tf.Tensor2D,
  shared: tf.Tensor2D | null,
  wanted: { x: boolean; shared: boolean },
  dy: tf.Tensor2D,
  ofShared: tf.Tensor2D | null,
): { x: tf.Tensor2D | null; shared: tf.Tensor2D | null; weights: tf.Tensor[] } {
  const by = [...(wanted.x ? [x] : []), ...(wanted.shared ? [shared!] : []), ...weights];
  const again = () => {
    const y = compute(x, shared);
    return ofShared === null ? y : addingTo(ofShared, y, shared!);
  };
  const { value, gradients } = differentiate(again, by, dy);
  value.dispose();
  return {
    x: wanted.x ? (gradients.shift() as tf.Tensor2D) : null,
    shared: wanted.shared ? (gradients.shift() as tf.Tensor2D) : null,
    weights: gradients,
  };
}

/**
 * y as it is, but that the gradient of `shared` begins with a sum. Where a computation reads it more than once, the terms
 * are then added in the order in which they would be without recomputation: one by one, not first among themselves.
 */
function addingTo(sum: tf.Tensor2D, y: tf.Tensor2D, shared: tf.Tensor2D): tf.Tensor2D {
  return withGradient<tf.Tensor2D>([y, shared], () => ({
    value: tf.clone(y),
    gradient: (dy) => [dy, sum],
  }));
}
