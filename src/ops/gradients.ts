import * as tf from '@tensorflow/tfjs-core';

/*
 * Gradients of the tfjs kernels that the composites of this folder use. Importing the root of tfjs-core registers
 * none, and its deep paths do not resolve as ES modules in Node, so they are written here from calculus. A kernel
 * that is used under a gradient without standing here makes tfjs throw an error that names it.
 */

type Gradient = (
  dy: tf.Tensor,
  saved: tf.Tensor[],
  attrs: tf.NamedAttrMap,
) => Record<string, () => tf.Tensor>;

function register(
  kernelName: string,
  gradFunc: Gradient,
  save: { inputs?: string[]; outputs?: boolean[]; allInputs?: boolean } = {},
): void {
  tf.registerGradient({
    kernelName,
    inputsToSave: save.inputs,
    outputsToSave: save.outputs,
    saveAllInputs: save.allInputs,
    gradFunc: gradFunc as tf.GradFunc,
  });
}

/**
 * Sums a gradient over the axes along which an operand of `shape` was broadcast. Always a tensor of its own: tfjs
 * disposes of an operand's gradient when it adds another one to it, and dy may still be wanted elsewhere.
 */
function unbroadcast(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const lead = gradient.rank - shape.length;
  const axes = gradient.shape.flatMap((size, axis) =>
    axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : [],
  );
  return tf.reshape(axes.length === 0 ? gradient : tf.sum(gradient, axes), shape);
}

register(tf.Add, (dy, [a, b]) => ({ a: () => unbroadcast(dy, a.shape), b: () => unbroadcast(dy, b.shape) }), {
  inputs: ['a', 'b'],
});
register(
  tf.Sub,
  (dy, [a, b]) => ({ a: () => unbroadcast(dy, a.shape), b: () => unbroadcast(tf.neg(dy), b.shape) }),
  { inputs: ['a', 'b'] },
);
register(
  tf.Multiply,
  (dy, [a, b]) => ({
    a: () => unbroadcast(tf.mul(dy, b), a.shape),
    b: () => unbroadcast(tf.mul(dy, a), b.shape),
  }),
  { inputs: ['a', 'b'] },
);
register(
  tf.RealDiv,
  (dy, [a, b]) => ({
    a: () => unbroadcast(tf.div(dy, b), a.shape),
    b: () => unbroadcast(tf.neg(tf.div(tf.mul(dy, a), tf.square(b))), b.shape),
  }),
  { inputs: ['a', 'b'] },
);
register(tf.Neg, (dy) => ({ x: () => tf.neg(dy) }));
register(tf.Identity, (dy) => ({ x: () => tf.clone(dy) }));
register(tf.Cast, (dy) => ({ x: () => tf.cast(dy, 'float32') }));
register(tf.Exp, (dy, [y]) => ({ x: () => tf.mul(dy, y) }), { outputs: [true] });
register(tf.Log, (dy, [x]) => ({ x: () => tf.div(dy, x) }), { inputs: ['x'] });
register(tf.Square, (dy, [x]) => ({ x: () => tf.mul(dy, tf.mul(x, 2)) }), { inputs: ['x'] });
register(tf.Sqrt, (dy, [y]) => ({ x: () => tf.div(dy, tf.mul(y, 2)) }), { outputs: [true] });
register(tf.Rsqrt, (dy, [y]) => ({ x: () => tf.mul(dy, tf.mul(-0.5, tf.mul(y, tf.square(y)))) }), {
  outputs: [true],
});
register(tf.Relu, (dy, [x]) => ({ x: () => tf.mul(dy, tf.step(x)) }), { inputs: ['x'] });
register(
  tf.Erf,
  (dy, [x]) => ({ x: () => tf.mul(dy, tf.mul(2 / Math.sqrt(Math.PI), tf.exp(tf.neg(tf.square(x))))) }),
  { inputs: ['x'] },
);

register(
  tf.Sum,
  (dy, [x], attrs) => {
    const axes = tf.util.parseAxisParam(attrs['axis'] as unknown as number[], x.shape);
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    return { x: () => tf.mul(tf.reshape(dy, kept), tf.onesLike(x)) };
  },
  { inputs: ['x'] },
);
register(
  tf.Max,
  (dy, [x, y], attrs) => {
    const axes = tf.util.parseAxisParam(attrs['reductionIndices'] as unknown as number[], x.shape);
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    return { x: () => tf.mul(tf.reshape(dy, kept), tf.cast(tf.equal(x, tf.reshape(y, kept)), 'float32')) };
  },
  { inputs: ['x'], outputs: [true] },
);
/** Along the last axis: dx = y · (dy − Σ dy·y). */
register(
  tf.Softmax,
  (dy, [y]) => ({
    logits: () => {
      const weighted = tf.mul(dy, y);
      return tf.sub(weighted, tf.mul(tf.sum(weighted, -1, true), y));
    },
  }),
  { outputs: [true] },
);

register(tf.Reshape, (dy, [x]) => ({ x: () => tf.reshape(dy, x.shape) }), { inputs: ['x'] });
register(tf.ExpandDims, (dy, [input]) => ({ input: () => tf.reshape(dy, input.shape) }), {
  inputs: ['input'],
});
register(tf.Transpose, (dy, _saved, attrs) => {
  const perm = attrs['perm'] as unknown as number[];
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  return { x: () => tf.transpose(dy, inverse) };
});
register(
  tf.Slice,
  (dy, [x], attrs) => {
    const begin = attrs['begin'] as unknown as number[];
    const paddings = begin.map((start, axis): [number, number] => [
      start,
      x.shape[axis] - start - dy.shape[axis],
    ]);
    return { x: () => tf.pad(dy, paddings) };
  },
  { inputs: ['x'] },
);
register(
  tf.Concat,
  (dy, inputs, attrs) => {
    const axis = tf.util.parseAxisParam(attrs['axis'] as number, inputs[0].shape)[0];
    const parts = tf.split(
      dy,
      inputs.map((input) => input.shape[axis]),
      axis,
    );
    return Object.fromEntries(parts.map((part, i) => [i, () => part]));
  },
  { allInputs: true },
);
/** What a kernel of several results is differentiated by are as many. */
register(tf.SplitV, (dys, _saved, attrs) => ({
  x: () => tf.concat(dys as unknown as tf.Tensor[], attrs['axis'] as number),
}));
/** Only untransposed products are used; the batch axes of both operands are equal. */
register(
  tf.BatchMatMul,
  (dy, [a, b], { transposeA, transposeB }) => {
    if (transposeA || transposeB)
      throw new Error('BatchMatMul: no gradient of a transposed product; transpose first');
    return { a: () => tf.matMul(dy, b, false, true), b: () => tf.matMul(a, dy, true, false) };
  },
  { inputs: ['a', 'b'] },
);
register(tf.Pack, (dy, _saved, attrs) => {
  const parts = tf.unstack(dy, attrs['axis'] as number);
  return Object.fromEntries(parts.map((part, i) => [i, () => part]));
});
