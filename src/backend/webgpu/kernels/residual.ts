import type { KernelDropout } from '../../../ops/kernels.js';
import type { tf } from '../../../ops/tf.js';
import type { WebGpuBackend } from '../backend.js';
import { rowSums } from '../reduce.js';
import type { Implementations } from './call.js';
import {
  gradientProgram,
  type Have,
  MOST_GROUPS,
  normProgram,
  SUM_GROUP,
  sumProgram,
  sumsProgram,
} from './residual-programs.js';

type Tensors<K extends string> = Partial<Record<K, tf.TensorInfo>>;

/** The buffers of inputs that are there, by name. */
function buffersOf<K extends string>(backend: WebGpuBackend, inputs: Tensors<K>): Record<K, number> {
  const present = Object.entries(inputs).filter(([, tensor]) => tensor != null) as [K, tf.TensorInfo][];
  return Object.fromEntries(present.map(([name, tensor]) => [name, backend.numbers(tensor)])) as Record<
    K,
    number
  >;
}

/** The layer normalisation of the sum of what is given, or of x where there is no branch. */
function norm(
  backend: WebGpuBackend,
  inputs: Tensors<'x' | 'f' | 'omega' | 'gate' | 'gain' | 'bias'>,
  alpha: number,
  dropout: KernelDropout,
): tf.TensorInfo[] {
  const [rows, width] = inputs.x!.shape;
  const { x, f, omega, gate } = inputs;
  const half = backend.isHalf(x, f);
  const [y, normal] = [0, 1].map(() => backend.activation([rows, width], half));
  const inverse = backend.output([rows]);
  backend.run(
    normProgram(f !== undefined, omega !== undefined, gate !== undefined, width),
    { ...buffersOf(backend, inputs), y: y.buffer, normal: normal.buffer, inverse: inverse.buffer },
    { rows, width, alpha, mask: dropout },
    backend.fold(rows),
  );
  return [y.info, normal.info, inverse.info];
}

interface Gradients {
  inputs: Tensors<'dy' | 'x' | 'f' | 'omega' | 'gate' | 'gain' | 'bias' | 'normal' | 'inverse'>;
  /** Whether the gradient of the branch is wanted beside that of the shortcut. */
  branch: boolean;
  alpha: number;
  dropout: KernelDropout;
}

/** Gradients of a sum and its normalisation, of those that are there: dx, df, dOmega, dGate, dGain, dBias. */
function gradients(backend: WebGpuBackend, { inputs, branch, alpha, dropout }: Gradients): tf.TensorInfo[] {
  const { bias, ...given } = inputs;
  const { omega, gate, gain } = given;
  const [rows, width] = inputs.dy!.shape;
  const have: Have = {
    norm: gain !== undefined,
    omega: omega !== undefined,
    gate: gate !== undefined,
    branch,
  };
  const shape = [rows, width];
  // In one buffer, since more cannot be bound on every device.
  const half = backend.isHalf(inputs.dy, inputs.normal);
  const results = backend.outputsTogether(branch ? [{ shape }, { shape }] : [{ shape }], { half });
  const share = Math.max(1, Math.ceil(rows / MOST_GROUPS));
  const groups = Math.ceil(rows / share);
  const summed = [...(gain === undefined ? [] : [gain, bias!]), ...(omega === undefined ? [] : [omega])];
  const partials = summed.length === 0 ? null : backend.allocate(groups * summed.length * width);
  const ofGate = gate === undefined ? null : backend.allocate(groups);
  backend.run(
    gradientProgram(have, width),
    {
      ...buffersOf(backend, given),
      d: results.buffer,
      ...(partials !== null && { partials }),
      ...(ofGate !== null && { ofGate }),
    },
    { rows, width, share, apart: results.starts[1] ?? 0, alpha, mask: dropout },
    backend.fold(groups),
  );
  const sums = summed.map((tensor) => backend.lists.gradient(tensor));
  if (partials !== null) {
    const outputs = Object.fromEntries(sums.map(({ buffer }, i) => [`out${i}`, buffer]));
    const columns = Math.ceil((summed.length * width) / SUM_GROUP);
    const uniforms = { rows: groups, width, columns: summed.length * width };
    backend.run(sumsProgram(summed.length), { partials, ...outputs }, uniforms, [columns, 1, 1]);
    backend.pool.give(partials);
  }
  const infos = sums.map(({ info }) => info);
  const [ofNorm, ofOmega] = gain === undefined ? [[], infos] : [infos.slice(0, 2), infos.slice(2)];
  return [...results.infos, ...ofOmega, ...gateGradient(backend, gate, ofGate, groups), ...ofNorm];
}

function gateGradient(
  backend: WebGpuBackend,
  gate: tf.TensorInfo | undefined,
  sums: number | null,
  groups: number,
): tf.TensorInfo[] {
  if (gate === undefined || sums === null) return [];
  const { info, buffer } = backend.lists.gradient(gate);
  rowSums(backend, sums, buffer, 1, groups);
  backend.pool.give(sums);
  return [info];
}

export const RESIDUAL = {
  Residual: ({ inputs, attributes: { alpha, dropout }, backend }) => {
    if (inputs.gain !== undefined) return norm(backend, inputs, alpha, dropout);
    const [rows, width] = inputs.x!.shape;
    const size = rows * width;
    const count = Math.ceil(size / 4);
    const y = backend.activation([rows, width], backend.isHalf(inputs.x, inputs.f));
    backend.run(
      sumProgram(inputs.omega !== undefined, inputs.gate !== undefined),
      { ...buffersOf(backend, inputs), z: y.buffer },
      { count, size, width, alpha, mask: dropout },
      backend.elements(count),
    );
    return [y.info];
  },

  ResidualGradient: ({ inputs, attributes, backend }) =>
    gradients(backend, { inputs, branch: true, ...attributes }),

  LayerNorm: ({ inputs, backend }) => norm(backend, inputs, 1, null),

  LayerNormGradient: ({ inputs, backend }) =>
    gradients(backend, { inputs, branch: false, alpha: 1, dropout: null }),
} satisfies Partial<Implementations>;
