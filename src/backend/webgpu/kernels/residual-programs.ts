import { MASK, MASK_UNIFORMS } from '../mask.js';
import { type BufferKind, ELEMENT, program, ROW, ROW_GROUP, SUM, variants } from '../program.js';

/** PyTorch's default, as ops/layer-norm.ts has it. */
const EPSILON = '1e-5';

/**
 * `keptAt(e)`: of the mask, what belongs to four elements from e on. An invocation takes four columns at a time: where
 * rows are multiples of four long, they share a block of random numbers.
 */
const keptAt = (whole: boolean): string => `${MASK}
fn keptAt(e: u32) -> vec4<f32> {
  ${whole ? 'return masks(e / 4u);' : 'return vec4<f32>(mask(e), mask(e + 1u), mask(e + 2u), mask(e + 3u));'}
}`;

/** Times that an invocation takes four columns of a row. */
const turnsOf = (width: number): number => Math.ceil(width / (4 * ROW_GROUP));

/**
 * Goes through the columns of a row that belong to an invocation: `c` is the column, `e` the element, `i` its number. The
 * number of turns is known to the compiler, so that it may keep an array by `i` in registers.
 */
const columnsOf =
  (turns: number) =>
  (before: string, each: string): string =>
    `
  for (var turn = 0u; turn < ${turns}u; turn++) {
    let q = local + turn * ${ROW_GROUP}u;
    ${before}
    for (var s = 0u; s < 4u; s++) {
      let c = 4u * q + s;
      if (c < p.width) { let e = start + c; let i = 4u * turn + s; ${each} }
    }
  }`;

type Buffers = Record<string, BufferKind>;

/** z = x·α·ω + gate·dropout(f), of those that are there; each invocation four elements, which share a block of numbers. */
export const sumProgram = variants((omega: boolean, gate: boolean) =>
  program(
    {
      ...{ x: 'numbers', f: 'numbers', z: 'numbersOut' },
      ...(omega && { omega: 'floats' }),
      ...(gate && { gate: 'floats' }),
    } as Buffers,
    { count: 'u32', size: 'u32', width: 'u32', alpha: 'f32', ...MASK_UNIFORMS },
    `${MASK}${ELEMENT}
  let kept = masks(i)${gate ? ' * gate[0]' : ''};
  for (var s = 0u; s < 4u; s++) {
    let e = 4u * i + s;
    if (e < p.size) { to_z(e, from_x(e) * p.alpha${omega ? ' * omega[e % p.width]' : ''} + from_f(e) * kept[s]); }
  }
}`,
  ),
);

/** See `normProgram`. */
const norms = variants((branch: boolean, omega: boolean, gate: boolean, whole: boolean, turns: number) => {
  const columns = columnsOf(turns);
  return program(
    {
      x: 'numbers',
      ...(branch && { f: 'numbers' }),
      ...(omega && { omega: 'floats' }),
      ...(gate && { gate: 'floats' }),
      ...{ gain: 'floats', bias: 'floats', y: 'numbersOut', normal: 'numbersOut', inverse: 'floatsOut' },
    } as Buffers,
    { rows: 'u32', width: 'u32', alpha: 'f32', ...MASK_UNIFORMS },
    `${keptAt(whole)}${SUM}${ROW}
  let start = row * p.width;
  let width = f32(p.width);
  var sum = 0.0;
  var sums: array<f32, ${4 * turns}>;
  ${columns(
    branch ? `let kept = keptAt(start + 4u * q)${gate ? ' * gate[0]' : ''};` : '',
    `let z = from_x(e)${branch ? ` * p.alpha${omega ? ' * omega[c]' : ''} + from_f(e) * kept[s]` : ''}; sums[i] = z; sum += z;`,
  )}
  let mean = sumOf(sum, local) / width;
  var squares = 0.0;
  ${columns('', 'let d = sums[i] - mean; squares += d * d;')}
  let scale = 1.0 / sqrt(sumOf(squares, local) / width + ${EPSILON});
  ${columns('', 'let n = (sums[i] - mean) * scale; to_normal(e, n); to_y(e, n * gain[c] + bias[c]);')}
  if (local == 0u) { inverse[row] = scale; }
}`,
  );
});

/** The layer normalisation of the same sum, row by row; of x itself without a branch. */
export const normProgram = (branch: boolean, omega: boolean, gate: boolean, width: number) =>
  norms(branch, omega, gate, width % 4 === 0, turnsOf(width));

/** What there is in a sum of which gradients are wanted. */
export interface Have {
  norm: boolean;
  omega: boolean;
  gate: boolean;
  branch: boolean;
}

/** Most groups that the rows are shared out to: each makes its part of the sums over all rows. */
export const MOST_GROUPS = 512;

/** dz, gradient of the sum that was normalised, of the elements of a row. */
const slopes = (columns: ReturnType<typeof columnsOf>) => ({
  before: `
    var sum = 0.0;
    var slope = 0.0;
    ${columns('', 'let d = from_dy(e) * gain[c]; sum += d; slope += d * from_normal(e);')}
    sum = sumOf(sum, local) / f32(p.width);
    slope = sumOf(slope, local) / f32(p.width);
    let scale = inverse[row];`,
  each: `let g = from_dy(e); let n = from_normal(e); gains[i] += g * n; biases[i] += g;
        let dz = scale * (g * gain[c] - sum - n * slope);`,
});

/** See `gradientProgram`. */
const made = variants(
  (norm: boolean, omega: boolean, gate: boolean, branch: boolean, whole: boolean, turns: number) => {
    const columns = columnsOf(turns);
    const ofNorm = norm ? slopes(columns) : { before: '', each: 'let dz = from_dy(e);' };
    const sums = [...(norm ? ['gains', 'biases'] : []), ...(omega ? ['omegas'] : [])];
    return program(
      {
        dy: 'numbers',
        ...(norm && { gain: 'floats', normal: 'numbers', inverse: 'floats' }),
        ...(omega && { omega: 'floats', x: 'numbers' }),
        ...(gate && { gate: 'floats', f: 'numbers', ofGate: 'floatsOut' }),
        d: 'numbersOut',
        ...(sums.length > 0 && { partials: 'floatsOut' }),
      } as Buffers,
      { rows: 'u32', width: 'u32', share: 'u32', apart: 'u32', alpha: 'f32', ...MASK_UNIFORMS },
      `${keptAt(whole)}${SUM}
@compute @workgroup_size(${ROW_GROUP})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let part = group.y * groups.x + group.x;
  ${sums.map((name) => `var ${name}: array<f32, ${4 * turns}>;`).join('\n  ')}
  ${gate ? 'var gates = 0.0;' : ''}
  for (var row = part * p.share; row < min(p.rows, (part + 1u) * p.share); row++) {
    let start = row * p.width;
    ${ofNorm.before}
    ${columns(
      branch ? 'let kept = keptAt(start + 4u * q);' : '',
      `${ofNorm.each}
        to_d(e, dz * p.alpha${omega ? ' * omega[c]' : ''});
        ${omega ? 'omegas[i] += dz * p.alpha * from_x(e);' : ''}
        ${branch ? `to_d(p.apart + e, dz * kept[s]${gate ? ' * gate[0]' : ''});` : ''}
        ${gate ? 'gates += dz * from_f(e) * kept[s];' : ''}`,
    )}
  }
  ${sums.length === 0 ? '' : `let start = part * ${sums.length}u * p.width;`}
  ${sums.length === 0 ? '' : columns('', sums.map((name, k) => `partials[e + ${k}u * p.width] = ${name}[i];`).join(' '))}
  ${gate ? 'let all = sumOf(gates, local); if (local == 0u && part * p.share < p.rows) { ofGate[part] = all; }' : ''}
}`,
    );
  },
);

/**
 * For the rows of each group: the gradients of x and, `apart` numbers behind them, of f; and its part of the sums over all
 * rows that are the gradients of gain, bias, ω and gate.
 */
export const gradientProgram = ({ norm, omega, gate, branch }: Have, width: number) =>
  made(norm, omega, gate, branch, width % 4 === 0, turnsOf(width));

/** Columns that a group of `sumsProgram` sums. */
export const SUM_GROUP = 64;

/** Sums of the parts of all groups, in their order: each gradient to a buffer of its own. */
export const sumsProgram = variants((count: number) => {
  const outputs = Array.from({ length: count }, (_, k) => `out${k}`);
  const lanes = 4;
  return program(
    {
      partials: 'floats',
      ...(Object.fromEntries(outputs.map((name) => [name, 'floatsOut'])) as Buffers),
    } as Buffers,
    { rows: 'u32', width: 'u32', columns: 'u32' },
    `var<workgroup> sums: array<f32, ${SUM_GROUP * lanes}>;
@compute @workgroup_size(${SUM_GROUP * lanes})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let column = group.x * ${SUM_GROUP}u + local % ${SUM_GROUP}u;
  var sum = 0.0;
  if (column < p.columns) {
    for (var row = local / ${SUM_GROUP}u; row < p.rows; row += ${lanes}u) { sum += partials[row * p.columns + column]; }
  }
  sums[local] = sum;
  workgroupBarrier();
  if (local >= ${SUM_GROUP}u || column >= p.columns) { return; }
  for (var lane = 1u; lane < ${lanes}u; lane++) { sum += sums[local + lane * ${SUM_GROUP}u]; }
  switch (column / p.width) {
    ${outputs.map((name, k) => `case ${k}u: { ${name}[column - ${k}u * p.width] = sum; }`).join('\n    ')}
    default: {}
  }
}`,
  );
});
