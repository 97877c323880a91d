import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import { packageRoot } from '../../common/files.js';

/** Memory, or null where an op does without it. */
type Floats = Float32Array | null;
/** Rate, seed, step and site of a mask, or null for no dropout. */
type Mask = Float64Array | null;

/** What the addon exports: native/src/ops.h says what each op does. Outputs are written into memory that is given. */
export interface Addon {
  /** The instruction set in use: avx512, avx2 or base. */
  readonly isa: string;
  /** Those that this processor has, the widest first. */
  readonly isas: readonly string[];
  /** Memory aligned to 64 bytes, not cleared. @throws Error with the code ERR_MEMORY_ALLOCATION_FAILED, as any op may */
  allocate(bytes: number): ArrayBuffer;
  /** Gives the pages of a stretch of such memory back to the system, where it takes them; what is in them is lost. */
  discard(memory: ArrayBuffer, start: number, end: number): void;
  /** Of this process, whoever calls. @throws Error where the system does not give so many; there is one thread then */
  setThreads(count: number): void;
  matMul(
    ...args: [
      ...[a: Float32Array, b: Float32Array, c: Float32Array, batch: number, m: number, n: number, k: number],
      ...[strideA: number, strideB: number, transposeA: boolean, transposeB: boolean],
    ]
  ): void;
  linear(
    ...args: [x: Floats, weight: Floats, bias: Floats, y: Floats, rows: number, from: number, to: number]
  ): void;
  linearGradient(
    ...args: [
      ...[dy: Floats, x: Floats, weight: Floats, dx: Floats, dWeight: Floats, dBias: Floats],
      ...[rows: number, from: number, to: number],
    ]
  ): void;
  packWeight(weight: Floats, packed: Floats, from: number, to: number): void;
  /** Floats of a packed weight. */
  packedWeightSize(from: number, to: number): number;
  packedLinear(
    ...args: [
      ...[x: Floats, packed: Floats, bias: Floats, y: Floats],
      ...[rows: number, from: number, to: number, activation: number],
    ]
  ): void;
  feedForwardInner(
    ...args: [
      ...[x: Floats, weight: Floats, bias: Floats, h: Floats, before: Floats],
      ...[rows: number, width: number, inner: number, activation: number, mask: Mask],
    ]
  ): void;
  feedForwardInnerGradient(
    ...args: [
      ...[dy: Floats, weight: Floats, kept: Floats, dInner: Floats],
      ...[rows: number, width: number, inner: number, activation: number, mask: Mask],
    ]
  ): void;
  residual(
    ...args: [
      ...[x: Floats, f: Floats, omega: Floats, gate: Floats, gain: Floats, bias: Floats],
      ...[y: Floats, normal: Floats, inverse: Floats, rows: number, width: number, alpha: number, mask: Mask],
    ]
  ): void;
  residualGradient(
    ...args: [
      ...[dy: Floats, x: Floats, f: Floats, omega: Floats, gate: Floats, gain: Floats],
      ...[normal: Floats, inverse: Floats, dx: Floats, df: Floats, dOmega: Floats, dGate: Floats],
      ...[dGain: Floats, dBias: Floats, rows: number, width: number, alpha: number, mask: Mask],
    ]
  ): void;
  layerNorm(
    ...args: [
      ...[x: Floats, gain: Floats, bias: Floats, y: Floats, normal: Floats, inverse: Floats],
      ...[rows: number, width: number],
    ]
  ): void;
  layerNormGradient(
    ...args: [
      ...[dy: Floats, normal: Floats, inverse: Floats, gain: Floats, dx: Floats, dGain: Floats],
      ...[dBias: Floats, rows: number, width: number],
    ]
  ): void;
  attention(
    ...args: [
      ...[q: Floats, qColumn: number, qStride: number, k: Floats, kColumn: number, kStride: number],
      ...[v: Floats, vColumn: number, vStride: number, queryOffsets: Int32Array, keyOffsets: Int32Array],
      ...[out: Floats, logPartition: Floats, heads: number, headWidth: number, causal: boolean, mask: Mask],
    ]
  ): void;
  attentionGradient(
    ...args: [
      ...[q: Floats, qColumn: number, qStride: number, k: Floats, kColumn: number, kStride: number],
      ...[v: Floats, vColumn: number, vStride: number, queryOffsets: Int32Array, keyOffsets: Int32Array],
      ...[out: Floats, logPartition: Floats, dOut: Floats, dq: Floats, dk: Floats, dv: Floats],
      ...[heads: number, headWidth: number, causal: boolean, mask: Mask],
    ]
  ): void;
  embedding(
    ...args: [
      ...[tokens: Int32Array, table: Floats, places: Int32Array, positions: Floats, y: Floats],
      ...[width: number, scale: number, mask: Mask],
    ]
  ): void;
  embeddingGradient(
    ...args: [tokens: Int32Array, dy: Floats, dTable: Floats, width: number, scale: number, mask: Mask]
  ): void;
  crossEntropy(
    ...args: [
      ...[hidden: Floats, weight: Floats, targets: Int32Array, losses: Floats, dHidden: Floats],
      ...[dWeight: Floats, rows: number, width: number, size: number, epsilon: number],
    ]
  ): void;
  adam(
    ...args: [
      ...[p: Floats, gradient: Floats, m: Floats, v: Floats, scale: Floats],
      ...[beta1: number, beta2: number, step: number, epsilon: number, decay: number],
    ]
  ): void;
  movingAverage(average: Floats, parameter: Floats, share: number): void;
  sumOfSquares(x: Floats): number;
  storeRows(
    ...args: [rows: Floats, column: number, stride: number, stored: Floats, first: number, width: number]
  ): void;
  cachedAttention(
    ...args: [
      ...[queries: Floats, column: number, stride: number, keys: Floats, values: Floats],
      ...[places: Int32Array, offsets: Int32Array, out: Floats, width: number, heads: number],
    ]
  ): void;
  topLogProbs(
    ...args: [
      ...[logits: Floats, forbidden: Int32Array, ids: Int32Array, logProbs: Floats],
      ...[rows: number, size: number, k: number],
    ]
  ): void;
  logPartitions(...args: [logits: Floats, out: Floats, rows: number, size: number]): void;
  add(a: Floats, b: Floats, out: Floats): void;
  subtract(a: Floats, b: Floats, out: Floats): void;
  multiplyElements(a: Floats, b: Floats, out: Floats): void;
  scaleBy(a: Floats, factor: Floats, out: Floats): void;
  dropout(x: Floats, out: Floats, mask: Mask): void;
}

/** Where native/build.mjs puts the addon of this platform; ADMIN_NMT_NATIVE names another folder. */
export function addonFile(): string {
  const folder = process.env.ADMIN_NMT_NATIVE ?? path.join(packageRoot(), 'native', 'build');
  return path.join(folder, `${process.platform}-${process.arch}.node`);
}

/**
 * Loads the addon. What was never loaded here is first loaded by a process of its own, so that a crash ends that one.
 *
 * @throws Error where the addon is absent, of another platform, or crashes
 */
export function loadAddon(): Addon {
  const file = addonFile();
  if (!existsSync(file)) throw new Error('its addon is not built');
  const proof = `${file}.loaded`;
  const { size, mtimeMs } = statSync(file);
  const mark = `${size} ${mtimeMs} ${process.version} ${os.hostname()}`;
  if (!existsSync(proof) || readFileSync(proof, 'utf8') !== mark) {
    const { status, signal, stderr } = spawnSync(process.execPath, ['-e', 'require(process.argv[1])', file], {
      encoding: 'utf8',
    });
    if (status !== 0) {
      const said = stderr.split('\n').find((line) => line.includes('Error')) ?? `exit ${status}`;
      throw new Error(`its addon does not load: ${signal === null ? said : `it ends with ${signal}`}`);
    }
    try {
      writeFileSync(proof, mark);
    } catch {
      // A folder that may not be written is looked at each time.
    }
  }
  return createRequire(import.meta.url)(file);
}
