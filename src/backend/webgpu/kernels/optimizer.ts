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

const ADD = program(
  { sum: 'floatsOut', term: 'floats' },
  { count: 'u32' },
  `${ELEMENT} sum[i] += term[i]; }`,
);

/** Runs of a dispatch: with what it writes, as many buffers as every device binds. */
const RUNS = 7;
const EACH = Array.from({ length: RUNS }, (_, i) => i);
/** Groups for the squares of each run: one for so many floats, and no more than so many. */
const SHARE = 2 ** 14;
const MOST_PARTS = 1024;

/** Σx² of parts of some runs, each of them a row of groups. */
const squaresProgram = variants((runs: number) => {
  const some = EACH.slice(0, runs);
  const sum = (i: number): string => `case ${i}u: {
      for (var e = group.x * ${ROW_GROUP}u + local; e < p.count${i}; e += p.parts * ${ROW_GROUP}u) { sum += x${i}[e] * x${i}[e]; }
    }`;
  return program(
    {
      ...(Object.fromEntries(some.map((i) => [`x${i}`, 'floats'])) as Record<string, BufferKind>),
      sums: 'floatsOut',
    },
    Object.fromEntries(
      ['first', 'parts', ...some.map((i) => `count${i}`)].map((name) => [name, 'u32']),
    ) as Record<string, 'u32'>,
    `${SUM}
@compute @workgroup_size(${ROW_GROUP})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  switch (group.y) {
    ${some.map(sum).join('\n    ')}
    default: {}
  }
  let all = sumOf(sum, local);
  if (local == 0u) { sums[p.first + group.y * p.parts + group.x] = all; }
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
  Adam: ({ inputs, attributes, backend }) => {
    const { parameter, gradient: gradients, first, second, beta1, beta2, step, epsilon, decay } = attributes;
    const scale = backend.floats(inputs.scale!);
    const rest = { beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2, step, epsilon, decay };
    for (const { ids, count } of backend.lists.runs([parameter, gradients, first, second])) {
      const [w, gradient, m, v] = ids;
      backend.run(ADAM, { w, gradient, m, v, scale }, { count, ...rest }, backend.elements(count));
    }
    return [];
  },

  MovingAverage: ({ attributes: { average: averages, parameter: parameters, share }, backend }) => {
    for (const { ids, count } of backend.lists.runs([averages, parameters])) {
      const [average, parameter] = ids;
      backend.run(MOVE, { average, parameter }, { count, share }, backend.elements(count));
    }
    return [];
  },

  LayTogether: ({ attributes: { tensor }, backend }) => {
    backend.lists.layTogether(tensor);
    return [];
  },

  AddLists: ({ attributes: { sum: sums, term: terms }, backend }) => {
    for (const { ids, count } of backend.lists.runs([sums, terms])) {
      const [sum, term] = ids;
      backend.run(ADD, { sum, term }, { count }, backend.elements(count));
    }
    return [];
  },

  GlobalNorm: ({ attributes: { tensor }, backend }) => {
    const runs = backend.lists.runs([tensor]);
    const longest = Math.max(...runs.map(({ count }) => count));
    const parts = Math.min(MOST_PARTS, Math.ceil(longest / SHARE));
    const total = parts * runs.length;
    const sums = backend.allocate(total);
    for (let first = 0; first < runs.length; first += RUNS) {
      const some = runs.slice(first, first + RUNS);
      const ids = Object.fromEntries(some.map((run, i) => [`x${i}`, run.ids[0]]));
      const counts = Object.fromEntries(some.map(({ count }, i) => [`count${i}`, count]));
      const uniforms = { first: parts * first, parts, ...counts };
      backend.run(squaresProgram(some.length), { ...ids, sums }, uniforms, [parts, some.length, 1]);
    }
    const norm = backend.output([]);
    backend.run(ROOT, { sums, y: norm.buffer }, { count: total }, [1, 1, 1]);
    backend.pool.give(sums);
    return [norm.info];
  },
} satisfies Partial<Implementations>;
