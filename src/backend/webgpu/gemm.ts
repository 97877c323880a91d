import type { Precision } from '../../common/precision.js';
import type { KernelDropout } from '../../ops/kernels.js';
import type { WebGpuBackend } from './backend.js';
import type { Epilogue } from './epilogues.js';
import { maskUniforms } from './mask.js';
import { type Operands, productProgram, sharedBytes, TILES, type TileSize } from './product-program.js';

/** Results of fewer tiles are made of smaller ones. */
const LEAST_TILES = { wide: 128, large: 16 } as const;

/** A matrix in a buffer: where it starts and how far it is from row to row. */
export interface Matrix {
  buffer: number;
  start?: number;
  pitch: number;
}

export interface Product {
  a: Matrix;
  b: Matrix;
  c: Matrix;
  m: number;
  n: number;
  k: number;
  transposeA?: boolean;
  transposeB?: boolean;
  epilogue?: Epilogue;
  /** Buffers of the epilogue. */
  beside?: Record<string, number>;
  /** Buffer for the sums of the rows of a, [m]: where that is a gradient the other way round, the gradient of a bias. */
  rowSums?: number;
  dropout?: KernelDropout;
  /** float16 rounds the operands to it; anything else is float32. */
  precision?: Precision;
  /** Of matrices one behind another, and how far apart they are. */
  batch?: { count: number; a: number; b: number; c: number };
}

/** c = a·b and what comes behind it. */
export function multiply(backend: WebGpuBackend, product: Product): void {
  const { a, b, c, m, n, k, transposeA = false, transposeB = false } = product;
  const { epilogue = 'none', beside = {}, rowSums, dropout = null, precision, batch } = product;
  const operands = precision === 'float16' ? 'float16' : 'float32';
  const size = sizeOf(backend, product, operands);
  const { tile } = TILES[size];
  const uniforms = {
    ...{ m, n, k, aPitch: a.pitch, bPitch: b.pitch, cPitch: c.pitch },
    ...{ aStart: a.start ?? 0, bStart: b.start ?? 0, cStart: c.start ?? 0 },
    ...{ aBatch: batch?.a ?? 0, bBatch: batch?.b ?? 0, cBatch: batch?.c ?? 0 },
    ...{ kPart: k, kStep: 0, rowSumStep: 0 },
    ...maskUniforms(dropout),
  };
  const ids: Record<string, number> = {
    ...{ a: a.buffer, b: b.buffer, c: c.buffer },
    ...beside,
    ...(rowSums !== undefined && { rowSums }),
  };
  backend.run(
    productProgram(transposeA, transposeB, epilogue, size, operands, rowSums !== undefined),
    ids,
    uniforms,
    [Math.ceil(n / tile), Math.ceil(m / tile), batch?.count ?? 1],
  );
}

/** The largest tiles that the device takes and that are enough to keep it busy. */
function sizeOf(backend: WebGpuBackend, { m, n, batch }: Product, operands: Operands): TileSize {
  const { shared } = backend.device.facts.limits;
  const enough = (size: keyof typeof LEAST_TILES): boolean =>
    sharedBytes(size, operands) <= shared && tilesOf(m, n, size) * (batch?.count ?? 1) >= LEAST_TILES[size];
  if (enough('wide')) return 'wide';
  return enough('large') ? 'large' : 'small';
}

function tilesOf(m: number, n: number, size: TileSize): number {
  const { tile } = TILES[size];
  return Math.ceil(m / tile) * Math.ceil(n / tile);
}
