import type { WebGpuBackend } from './backend.js';
import { LEAST, MOST, POWERS, program, ROW, ROW_GROUP, SUM } from './program.js';

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
