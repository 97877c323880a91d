import type { WebGpuBackend } from './backend.js';
import {
  type BufferKind,
  GROUP,
  LEAST,
  MOST,
  POWERS,
  program,
  ROW,
  ROW_GROUP,
  SUM,
  variants,
} from './program.js';

const ROW_SUMS = program(
  { x: 'floats', y: 'floatsOut' },
  { rows: 'u32', width: 'u32' },
  `${SUM}${ROW}
  var sum = 0.0;
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) { sum += x[row * p.width + c]; }
  let all = sumOf(sum, local);
  if (local == 0u) { y[row] = all; }
}`,
);

/** Sums of rows: x [rows, width] → y [rows]. */
export function rowSums(backend: WebGpuBackend, x: number, y: number, rows: number, width: number): void {
  backend.run(ROW_SUMS, { x, y }, { rows, width }, backend.fold(rows));
}

const SOFTMAX = program(
  { x: 'floats', y: 'floatsOut' },
  { rows: 'u32', width: 'u32' },
  `${SUM}${MOST}${POWERS}${ROW}
  let start = row * p.width;
  var top = ${LEAST};
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) { let v = x[start + c]; top = select(top, v, v > top); }
  top = mostOf(top, local);
  var sum = 0.0;
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) { sum += powerOf(x[start + c], top); }
  sum = sumOf(sum, local);
  for (var c = local; c < p.width; c += ${ROW_GROUP}u) { y[start + c] = powerOf(x[start + c], top) / sum; }
}`,
);

export function softmaxRows(backend: WebGpuBackend, x: number, y: number, rows: number, width: number): void {
  backend.run(SOFTMAX, { x, y }, { rows, width }, backend.fold(rows));
}

/** Columns and rows at a time of a group that sums columns. */
const COLUMNS = 64;
const LANES = GROUP / COLUMNS;
/** Rows whose sums one group makes. */
const CHUNK = 128;

/** What is summed down the columns: x, x·y, or both. */
type Summed = 'x' | 'product' | 'both';

/** The first step goes over the rows of x, and y, in chunks; the second over what is left of each chunk, as it is. */
const columnProgram = variants((what: Summed, step: 'first' | 'second') => {
  const inputs = what === 'x' || (what === 'product' && step === 'second') ? 1 : 2;
  const outputs = what === 'both' ? 2 : 1;
  const [a, b] =
    step === 'second'
      ? ['left', 'right']
      : what === 'product'
        ? ['left * right', '0.0']
        : ['left', 'left * right'];
  return program(
    {
      x: 'floats',
      ...(inputs === 2 && { y: 'floats' }),
      sums: 'floatsOut',
      ...(outputs === 2 && { products: 'floatsOut' }),
    } as Record<'x' | 'y' | 'sums' | 'products', BufferKind>,
    { rows: 'u32', width: 'u32', chunk: 'u32', factor: 'f32' },
    `var<workgroup> one: array<f32, ${GROUP}>;
var<workgroup> two: array<f32, ${GROUP}>;
@compute @workgroup_size(${GROUP})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let column = group.x * ${COLUMNS}u + local % ${COLUMNS}u;
  let lane = local / ${COLUMNS}u;
  let end = min(p.rows, (group.y + 1u) * p.chunk);
  var a = 0.0;
  var b = 0.0;
  if (column < p.width) {
    for (var row = group.y * p.chunk + lane; row < end; row += ${LANES}u) {
      let left = x[row * p.width + column];
      let right = ${inputs === 2 ? 'y[row * p.width + column]' : '0.0'};
      a += ${a};
      b += ${b};
    }
  }
  one[local] = a;
  two[local] = b;
  workgroupBarrier();
  if (lane == 0u && column < p.width) {
    for (var other = 1u; other < ${LANES}u; other++) {
      a += one[local + other * ${COLUMNS}u];
      b += two[local + other * ${COLUMNS}u];
    }
    sums[group.y * p.width + column] = a * p.factor;
    ${outputs === 2 ? 'products[group.y * p.width + column] = b * p.factor;' : ''}
  }
}`,
  );
});

/** Sums of the columns of x·y, both [rows, width]; and of those of x alone, where `plain` says where to. */
export function columnProducts(
  backend: WebGpuBackend,
  given: { x: number; y: number; rows: number; width: number; to: number; plain?: number; factor?: number },
): void {
  const { x, y, rows, width, to, plain, factor = 1 } = given;
  const what = plain === undefined ? 'product' : 'both';
  const targets = plain === undefined ? { sums: to, products: to } : { sums: plain, products: to };
  const chunks = Math.max(1, Math.ceil(rows / CHUNK));
  const blocks = Math.ceil(width / COLUMNS);
  const uniforms = { rows, width, chunk: CHUNK, factor };
  if (chunks === 1) {
    backend.run(columnProgram(what, 'first'), { x, y, ...targets }, uniforms, [blocks, 1, 1]);
    return;
  }
  // Always the same additions in the same order.
  const parts = [
    backend.allocate(chunks * width),
    backend.allocate(plain === undefined ? 1 : chunks * width),
  ];
  const [sums, products] = parts;
  backend.run(columnProgram(what, 'first'), { x, y, sums, products }, uniforms, [blocks, chunks, 1]);
  const rest = { rows: chunks, width, chunk: chunks, factor: 1 };
  backend.run(columnProgram(what, 'second'), { x: sums, y: products, ...targets }, rest, [blocks, 1, 1]);
  for (const part of parts) backend.pool.give(part);
}
