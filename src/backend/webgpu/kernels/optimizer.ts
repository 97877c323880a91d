import { tf } from '../../../ops/tf.js';
import { type BufferKind, ELEMENT, program, ROW_GROUP, SUM, variants } from '../program.js';
import type { Implementations } from './call.js';

/** Whether a float is finite, by its exponent: compilers of WGSL may take it that every float is. */
export const FINITE = 'fn finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }';

const ADAM = program(
  { w: 'floatsOut', gradient: 'floats', m: 'floatsOut', v: 'floatsOut', scale: 'floats' },
  {
    count: 'u32',
    beta1: 'f32',
    rest1: 'f32',
    beta2: 'f32',
    rest2: 'f32',
    step: 'f32',
    epsilon: 'f32',
    decay: 'f32',
  },
  `${FINITE}${ELEMENT}
  let factor = scale[0];
  if (!finite(factor)) { return; }
  let g = gradient[i] * factor;
  let first = m[i] * p.beta1 + g * p.rest1;
  let second = v[i] * p.beta2 + g * g * p.rest2;
  m[i] = first;
  v[i] = second;
  w[i] = w[i] - w[i] * p.decay - p.step * first / (sqrt(second) + p.epsilon);
}`,
);

const MOVE = program(
  { average: 'floatsOut', parameter: 'floats' },
  { count: 'u32', share: 'f32' },
  `${ELEMENT} average[i] += p.share * (parameter[i] - average[i]); }`,
);

/** Groups for the squares of each tensor. */
const PARTS = 32;
/** Tensors of a dispatch: with what it writes, as many buffers as every device binds. */
const TENSORS = 7;
const EACH = Array.from({ length: TENSORS }, (_, i) => i);

/** Σx² of parts of some tensors, each of them a row of groups. */
const squaresProgram = variants((tensors: number) => {
  const some = EACH.slice(0, tensors);
  const sum = (i: number): string => `case ${i}u: {
      for (var e = group.x * ${ROW_GROUP}u + local; e < p.count${i}; e += ${PARTS * ROW_GROUP}u) { sum += x${i}[e] * x${i}[e]; }
    }`;
  return program(
    {
      ...(Object.fromEntries(some.map((i) => [`x${i}`, 'floats'])) as Record<string, BufferKind>),
      sums: 'floatsOut',
    },
    Object.fromEntries(['first', ...some.map((i) => `count${i}`)].map((name) => [name, 'u32'])) as Record<
      string,
      'u32'
    >,
    `${SUM}
@compute @workgroup_size(${ROW_GROUP})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  switch (group.y) {
    ${some.map(sum).join('\n    ')}
    default: {}
  }
  let all = sumOf(sum, local);
  if (local == 0u) { sums[p.first + group.y * ${PARTS}u + group.x] = all; }
}`,
  );
});

const ROOT = program(
  { sums: 'floats', y: 'floatsOut' },
  { count: 'u32' },
  `${SUM}
@compute @workgroup_size(${ROW_GROUP})
fn main(@builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  for (var i = local; i < p.count; i += ${ROW_GROUP}u) { sum += sums[i]; }
  let all = sumOf(sum, local);
  if (local == 0u) { y[0] = sqrt(all); }
}`,
);

export const OPTIMIZER = {
  Adam: ({ inputs, attributes: { beta1, beta2, step, epsilon, decay }, backend }) => {
    const { parameter, gradient, first, second, scale } = inputs;
    const [w, g, m, v, factor] = [parameter!, gradient!, first!, second!, scale!].map((tensor) =>
      backend.floats(tensor),
    );
    const count = tf.util.sizeFromShape(parameter!.shape);
    const uniforms = { count, beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2, step, epsilon, decay };
    backend.run(ADAM, { w, gradient: g, m, v, scale: factor }, uniforms, backend.elements(count));
    return [];
  },

  MovingAverage: ({ inputs, attributes: { share }, backend }) => {
    const [average, parameter] = [backend.floats(inputs.average!), backend.floats(inputs.parameter!)];
    const count = tf.util.sizeFromShape(inputs.average!.shape);
    backend.run(MOVE, { average, parameter }, { count, share }, backend.elements(count));
    return [];
  },

  GlobalNorm: ({ inputs, backend }) => {
    const tensors = Object.values(inputs) as tf.TensorInfo[];
    const total = PARTS * tensors.length;
    const sums = backend.allocate(total);
    for (let first = 0; first < tensors.length; first += TENSORS) {
      const some = tensors.slice(first, first + TENSORS);
      const ids = Object.fromEntries(some.map((tensor, i) => [`x${i}`, backend.floats(tensor)]));
      const counts = some.map(({ shape }, i) => [`count${i}`, tf.util.sizeFromShape(shape)]);
      const uniforms = { first: PARTS * first, ...Object.fromEntries(counts) };
      backend.run(squaresProgram(some.length), { ...ids, sums }, uniforms, [PARTS, some.length, 1]);
    }
    const norm = backend.output([]);
    backend.run(ROOT, { sums, y: norm.buffer }, { count: total }, [1, 1, 1]);
    backend.pool.give(sums);
    return [norm.info];
  },
} satisfies Partial<Implementations>;
