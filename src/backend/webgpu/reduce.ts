import type { WebGpuBackend } from './backend.js';
import { GROUP, LEAST, MOST, POWERS, program, ROW, ROW_GROUP, SUM, variants } from './program.js';

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

const columnProgram = variants((what: Summed) => {
  const [first, second] = what === 'product' ? ['product', 'product'] : ['value', 'product'];
  return program(
    { x: 'floats', ...(what === 'x' ? {} : { y: 'floats' }), sums: 'floatsOut' } as {
      x: 'floats';
      y: 'floats';
      sums: 'floatsOut';
    },
    { rows: 'u32', width: 'u32', chunk: 'u32', second: 'u32', factor: 'f32' },
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
      let value = x[row * p.width + column];
      let product = ${what === 'x' ? '0.0' : 'value * y[row * p.width + column]'};
      a += ${first};
      b += ${second};
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
    ${what === 'both' ? 'sums[p.second + group.y * p.width + column] = b * p.factor;' : ''}
  }
}`,
  );
});

/** Sums of the columns of x [rows, width], times a factor. */
export function columnSums(
  backend: WebGpuBackend,
  { x, rows, width, to, factor = 1 }: { x: number; rows: number; width: number; to: number; factor?: number },
): void {
  summed(backend, 'x', { x, y: x, rows, width, factor }, [to]);
}

/** Sums of the columns of x·y, both [rows, width]; and of those of x alone, where `plain` says where to. */
export function columnProducts(
  backend: WebGpuBackend,
  given: { x: number; y: number; rows: number; width: number; to: number; plain?: number; factor?: number },
): void {
  const { x, y, rows, width, to, plain, factor = 1 } = given;
  if (plain === undefined) summed(backend, 'product', { x, y, rows, width, factor }, [to]);
  else summed(backend, 'both', { x, y, rows, width, factor }, [plain, to]);
}

/** In two steps, of which the first leaves a row for each chunk: always the same additions in the same order. */
function summed(
  backend: WebGpuBackend,
  what: Summed,
  { x, y, rows, width, factor }: { x: number; y: number; rows: number; width: number; factor: number },
  to: readonly number[],
): void {
  const chunks = Math.max(1, Math.ceil(rows / CHUNK));
  const blocks = Math.ceil(width / COLUMNS);
  const second = chunks * width;
  const sums = chunks === 1 && to.length === 1 ? to[0] : backend.allocate(second * to.length);
  const uniforms = { rows, width, chunk: CHUNK, second, factor };
  backend.run(columnProgram(what), { x, y, sums }, uniforms, [blocks, chunks, 1]);
  if (sums === to[0]) return;
  to.forEach((target, part) => {
    backend.run(GATHERED, { x: sums, sums: target }, { rows: chunks, width, start: part * second }, [
      blocks,
      1,
      1,
    ]);
  });
  backend.pool.give(sums);
}

const GATHERED = program(
  { x: 'floats', sums: 'floatsOut' },
  { rows: 'u32', width: 'u32', start: 'u32' },
  `var<workgroup> one: array<f32, ${GROUP}>;
@compute @workgroup_size(${GROUP})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let column = group.x * ${COLUMNS}u + local % ${COLUMNS}u;
  let lane = local / ${COLUMNS}u;
  var a = 0.0;
  if (column < p.width) {
    for (var row = lane; row < p.rows; row += ${LANES}u) { a += x[p.start + row * p.width + column]; }
  }
  one[local] = a;
  workgroupBarrier();
  if (lane == 0u && column < p.width) {
    for (var other = 1u; other < ${LANES}u; other++) { a += one[local + other * ${COLUMNS}u]; }
    sums[column] = a;
  }
}`,
);
