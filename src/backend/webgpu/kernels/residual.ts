import type { tf } from '../../../ops/tf.js';
import type { WebGpuBackend } from '../backend.js';
import { MASK, MASK_UNIFORMS, maskUniforms } from '../mask.js';
import { ELEMENT, type Program, program, ROW, ROW_GROUP, SUM, variants } from '../program.js';
import { columnProducts, rowSums } from '../reduce.js';
import type { Implementations } from './call.js';

/** PyTorch's default, as ops/layer-norm.ts has it. */
const EPSILON = '1e-5';

/** z = x·α·ω + gate·dropout(f), of those that are there; each invocation four elements, which share a block of numbers. */
const sumProgram = variants((omega: boolean, gate: boolean) =>
  program(
    {
      ...{ x: 'floats', f: 'floats', z: 'floatsOut' },
      ...(omega && { omega: 'floats' }),
      ...(gate && { gate: 'floats' }),
    } as Record<string, 'floats' | 'floatsOut'>,
    { count: 'u32', size: 'u32', width: 'u32', alpha: 'f32', ...MASK_UNIFORMS },
    `${MASK}${ELEMENT}
  let kept = masks(i)${gate ? ' * gate[0]' : ''};
  for (var s = 0u; s < 4u; s++) {
    let e = 4u * i + s;
    if (e < p.size) { z[e] = x[e] * p.alpha${omega ? ' * omega[e % p.width]' : ''} + f[e] * kept[s]; }
  }
}`,
  ),
);

/** The layer normalisation of each row; where `normal` is z itself, in place. */
const NORM = program(
  { z: 'floats', gain: 'floats', bias: 'floats', y: 'floatsOut', normal: 'floatsOut', inverse: 'floatsOut' },
  { rows: 'u32', width: 'u32' },
  `${SUM}${ROW}
  let start = row * p.width;
  let width = f32(p.width);
  var sum = 0.0;
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) { sum += z[start + c]; }
  let mean = sumOf(sum, local) / width;
  var squares = 0.0;
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) { let d = z[start + c] - mean; squares += d * d; }
  let scale = 1.0 / sqrt(sumOf(squares, local) / width + ${EPSILON});
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) {
    let n = (z[start + c] - mean) * scale;
    normal[start + c] = n;
    y[start + c] = n * gain[c] + bias[c];
  }
  if (local == 0u) { inverse[row] = scale; }
}`,
);

/** Gradient of the sum that was normalised. */
const NORM_GRADIENT = program(
  { dy: 'floats', gain: 'floats', normal: 'floats', inverse: 'floats', dz: 'floatsOut' },
  { rows: 'u32', width: 'u32' },
  `${SUM}${ROW}
  let start = row * p.width;
  let width = f32(p.width);
  var sum = 0.0;
  var slope = 0.0;
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) {
    let d = dy[start + c] * gain[c];
    sum += d;
    slope += d * normal[start + c];
  }
  sum = sumOf(sum, local) / width;
  slope = sumOf(slope, local) / width;
  let scale = inverse[row];
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) {
    dz[start + c] = scale * (dy[start + c] * gain[c] - sum - normal[start + c] * slope);
  }
}`,
);

/** dx = dz·α·ω and df = dz·gate·mask, of that of the sum. */
const sumGradientProgram = variants((omega: boolean, gate: boolean) =>
  program(
    {
      ...{ dz: 'floats', dx: 'floatsOut', df: 'floatsOut' },
      ...(omega && { omega: 'floats' }),
      ...(gate && { gate: 'floats' }),
    } as Record<string, 'floats' | 'floatsOut'>,
    { count: 'u32', size: 'u32', width: 'u32', alpha: 'f32', ...MASK_UNIFORMS },
    `${MASK}${ELEMENT}
  let kept = masks(i)${gate ? ' * gate[0]' : ''};
  for (var s = 0u; s < 4u; s++) {
    let e = 4u * i + s;
    if (e < p.size) {
      let d = dz[e];
      dx[e] = d * p.alpha${omega ? ' * omega[e % p.width]' : ''};
      df[e] = d * kept[s];
    }
  }
}`,
  ),
);

/** For each row Σ dz·dropout(f): its share of the gradient of the gate. */
const GATE_GRADIENT = program(
  { dz: 'floats', f: 'floats', sums: 'floatsOut' },
  { rows: 'u32', width: 'u32', ...MASK_UNIFORMS },
  `${MASK}${SUM}${ROW}
  var sum = 0.0;
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) { let e = row * p.width + c; sum += dz[e] * f[e] * mask(e); }
  let all = sumOf(sum, local);
  if (local == 0u) { sums[row] = all; }
}`,
);

type Tensors<K extends string> = Partial<Record<K, tf.TensorInfo>>;
type OfSum = Program<string, 'count' | 'size' | 'width' | 'alpha' | keyof typeof MASK_UNIFORMS>;

/** The buffers of inputs that are there, by name. */
function buffersOf<K extends string>(backend: WebGpuBackend, inputs: Tensors<K>): Record<K, number> {
  const present = Object.entries(inputs).filter(([, tensor]) => tensor != null) as [K, tf.TensorInfo][];
  return Object.fromEntries(present.map(([name, tensor]) => [name, backend.floats(tensor)])) as Record<
    K,
    number
  >;
}

function norm(
  backend: WebGpuBackend,
  [rows, width]: readonly number[],
  { z, gain, bias }: { z: number; gain: number; bias: number },
): tf.TensorInfo[] {
  const [y, normal, inverse] = [[rows, width], [rows, width], [rows]].map((shape) => backend.output(shape));
  const ids = { z, gain, bias, y: y.buffer, normal: normal.buffer, inverse: inverse.buffer };
  backend.run(NORM, ids, { rows, width }, backend.fold(rows));
  return [y.info, normal.info, inverse.info];
}

export const RESIDUAL = {
  Residual: ({ inputs, attributes: { alpha, dropout }, backend }) => {
    const [rows, width] = inputs.x!.shape;
    const { gain, bias, ...given } = buffersOf(backend, inputs);
    const size = rows * width;
    const count = Math.ceil(size / 4);
    const made: OfSum = sumProgram(inputs.omega !== undefined, inputs.gate !== undefined);
    const uniforms = { count, size, width, alpha, ...maskUniforms(dropout) };
    if (gain === undefined) {
      const y = backend.output([rows, width]);
      backend.run(made, { ...given, z: y.buffer }, uniforms, backend.elements(count));
      return [y.info];
    }
    const z = backend.allocate(size);
    backend.run(made, { ...given, z }, uniforms, backend.elements(count));
    const results = norm(backend, [rows, width], { z, gain, bias });
    backend.pool.give(z);
    return results;
  },

  ResidualGradient: ({ inputs, attributes: { alpha, dropout }, backend }) => {
    const [rows, width] = inputs.dy!.shape;
    const { bias, ...given } = inputs;
    const { dy, x, f, omega, gate, gain, normal, inverse } = buffersOf(backend, given);
    const size = rows * width;
    const dz = gain === undefined ? dy : backend.allocate(size);
    if (gain !== undefined)
      backend.run(NORM_GRADIENT, { dy, gain, normal, inverse, dz }, { rows, width }, backend.fold(rows));
    const [dx, df] = [backend.output([rows, width]), backend.output([rows, width])];
    const count = Math.ceil(size / 4);
    const kept = maskUniforms(dropout);
    backend.run(
      sumGradientProgram(omega !== undefined, gate !== undefined) as OfSum,
      {
        dz,
        dx: dx.buffer,
        df: df.buffer,
        ...(omega !== undefined && { omega }),
        ...(gate !== undefined && { gate }),
      },
      { count, size, width, alpha, ...kept },
      backend.elements(count),
    );
    const results = [dx.info, df.info];
    if (omega !== undefined) {
      const dOmega = backend.gradient(inputs.omega!);
      columnProducts(backend, { x: dz, y: x, rows, width, to: dOmega.buffer, factor: alpha });
      results.push(dOmega.info);
    }
    if (gate !== undefined) {
      const [dGate, sums] = [backend.gradient(inputs.gate!), backend.allocate(rows)];
      backend.run(GATE_GRADIENT, { dz, f, sums }, { rows, width, ...kept }, backend.fold(rows));
      rowSums(backend, sums, dGate.buffer, 1, rows);
      backend.pool.give(sums);
      results.push(dGate.info);
    }
    if (gain !== undefined) {
      results.push(...normGradients(backend, { dy, normal, rows, width }, inputs.gain!, bias!));
      backend.pool.give(dz);
    }
    return results;
  },

  LayerNorm: ({ inputs, backend }) => {
    const { x, gain, bias } = buffersOf(backend, inputs);
    return norm(backend, inputs.x!.shape, { z: x, gain, bias });
  },

  LayerNormGradient: ({ inputs, backend }) => {
    const { dy, normal, inverse, gain } = buffersOf(backend, inputs);
    const [rows, width] = inputs.dy!.shape;
    const dx = backend.output([rows, width]);
    const ids = { dy, gain, normal, inverse, dz: dx.buffer };
    backend.run(NORM_GRADIENT, ids, { rows, width }, backend.fold(rows));
    return [dx.info, ...normGradients(backend, { dy, normal, rows, width }, inputs.gain!, inputs.bias!)];
  },
} satisfies Partial<Implementations>;

/** Those of gain and bias. */
function normGradients(
  backend: WebGpuBackend,
  { dy, normal, rows, width }: { dy: number; normal: number; rows: number; width: number },
  gain: tf.TensorInfo,
  bias: tf.TensorInfo,
): tf.TensorInfo[] {
  const [dGain, dBias] = [backend.gradient(gain), backend.gradient(bias)];
  columnProducts(backend, { x: dy, y: normal, rows, width, to: dGain.buffer, plain: dBias.buffer });
  return [dGain.info, dBias.info];
}
