import type { Precision } from '../../common/precision.js';
import type { KernelDropout } from '../../ops/kernels.js';
import type { tf } from '../../ops/tf.js';
import type { WebGpuBackend } from './backend.js';
import type { Epilogue } from './epilogues.js';
import { fits, matrixProgram, matrixSharedBytes } from './matrix-program.js';
import {
  DEPTH,
  type Operands,
  productProgram,
  sharedBytes,
  TILES,
  type TileSize,
} from './product-program.js';

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
  rowSums?: number | undefined;
  dropout?: KernelDropout;
  /** The tensors that c and the sums of rows are: then what is summed in parts may be put off until one is wanted. */
  results?: readonly tf.TensorInfo[];
  /** float16 rounds the operands to it; anything else is float32. */
  precision?: Precision;
  /** Of matrices one behind another, and how far apart they are. */
  batch?: { count: number; a: number; b: number; c: number };
}

/** c = a·b and what comes behind it. */
export function multiply(backend: WebGpuBackend, product: Product): void {
  const { m, n, k, epilogue = 'none', batch } = product;
  const operands = product.precision === 'float16' ? 'float16' : 'float32';
  const size = sizeOf(backend, product, operands);
  const parts = epilogue === 'none' && batch === undefined ? partsOf(k, tilesOf(m, n, size)) : 1;
  if (parts > 1) multiplyInParts(backend, product, size, operands, parts);
  else dispatch(backend, product, size, operands, { depth: k, count: batch?.count ?? 1 });
}

function multiplyInParts(
  backend: WebGpuBackend,
  product: Product,
  size: TileSize,
  operands: Operands,
  parts: number,
): void {
  const { m, n, k, rowSums } = product;
  const sums = backend.allocate(parts * m * n);
  const rows = rowSums === undefined ? undefined : { sums: backend.allocate(parts * m), c: rowSums };
  const split = {
    ...product,
    ...{ c: { buffer: sums, pitch: n }, batch: { count: parts, a: 0, b: 0, c: m * n } },
    rowSums: rows?.sums,
  };
  const depth = Math.ceil(k / parts / DEPTH) * DEPTH;
  dispatch(backend, split, size, operands, { depth, count: parts, isSplit: true });
  const { buffer: c, start: cStart = 0, pitch: cPitch } = product.c;
  backend.sums.add({ sums, c, cStart, cPitch, parts, m, n, rows }, product.results ?? []);
}

/** Results of no more tiles than this are summed in parts of the depth, of which there are then about as many groups. */
const ENOUGH_GROUPS = 256;
const FEW_TILES = 32;
/** Least depth that is split, and of a part: a second program has to add the parts. */
const LEAST_DEPTH = { split: 2048, part: 256 } as const;

/** Parts of the depth for a result of so many tiles. */
function partsOf(k: number, tiles: number): number {
  if (tiles > FEW_TILES || k < LEAST_DEPTH.split) return 1;
  return Math.min(Math.ceil(ENOUGH_GROUPS / tiles), Math.floor(k / LEAST_DEPTH.part));
}

/** What the groups of a dispatch take in depth, and how often there are all of them. */
interface Share {
  depth: number;
  count: number;
  /** Whether each takes another part of the depth, rather than other matrices. */
  isSplit?: boolean;
}

function dispatch(
  backend: WebGpuBackend,
  product: Product,
  size: TileSize,
  operands: Operands,
  { depth, count, isSplit = false }: Share,
): void {
  const { a, b, c, m, n, k, transposeA = false, transposeB = false } = product;
  const { epilogue = 'none', beside = {}, rowSums, dropout = null, batch } = product;
  const { tile } = TILES[size];
  // Not put together from parts, each of which would be an object: there are hundreds of products in an update.
  const uniforms = {
    m,
    n,
    k,
    aPitch: a.pitch,
    bPitch: b.pitch,
    cPitch: c.pitch,
    aStart: a.start ?? 0,
    bStart: b.start ?? 0,
    cStart: c.start ?? 0,
    aBatch: batch?.a ?? 0,
    bBatch: batch?.b ?? 0,
    cBatch: batch?.c ?? 0,
    kPart: depth,
    kStep: isSplit ? depth : 0,
    rowSumStep: isSplit ? m : 0,
    mask: dropout,
  };
  const ids: Record<string, number> = { ...beside, a: a.buffer, b: b.buffer, c: c.buffer };
  if (rowSums !== undefined) ids.rowSums = rowSums;
  const { matrices } = backend.device.facts;
  const summed = rowSums !== undefined;
  const chosen =
    operands === 'float16' && matrices !== null && size !== 'small'
      ? matrixProgram(
          ...([transposeA, transposeB, epilogue, size, summed] as const),
          ...([matrices.m, matrices.n, matrices.k, matrices.subgroup] as const),
        )
      : productProgram(transposeA, transposeB, epilogue, size, operands, summed);
  backend.run(chosen, ids, uniforms, [Math.ceil(n / tile), Math.ceil(m / tile), count]);
}

/** The largest tiles that the device takes and that are enough to keep it busy. */
function sizeOf(backend: WebGpuBackend, { m, n, batch }: Product, operands: Operands): TileSize {
  const { limits, matrices } = backend.device.facts;
  const enough = (size: keyof typeof LEAST_TILES): boolean =>
    tilesOf(m, n, size) * (batch?.count ?? 1) >= LEAST_TILES[size] &&
    (operands === 'float16' && matrices !== null
      ? fits(size, matrices) && matrixSharedBytes(size, matrices) <= limits.shared
      : sharedBytes(size, operands) <= limits.shared);
  if (enough('wide')) return 'wide';
  return enough('large') ? 'large' : 'small';
}

function tilesOf(m: number, n: number, size: TileSize): number {
  const { tile } = TILES[size];
  return Math.ceil(m / tile) * Math.ceil(n / tile);
}
