// Prints a sum over the bits of many products, for `product-bits.js PRECISION THREADS`: of sizes on both sides of all blocks,
// of numbers from the smallest to the largest. NaN counts as NaN, whatever its bits.
import { createHash } from 'node:crypto';
import process from 'node:process';
import { loadAddon } from '../../../src/backend/native/binding.js';
import { codeOf } from '../../../src/backend/native/kernels/call.js';
import type { Precision } from '../../../src/common/precision.js';

const [precision, threads] = process.argv.slice(2) as [Precision, string];
const addon = loadAddon();
addon.setThreads(Number(threads));
const code = codeOf(precision);
const hash = createHash('sha256');

let state = 1;
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state;
};

/** Random floats with exponents drawn from [least, least + count). */
function floats(length: number, [least, count]: readonly [number, number]): Float32Array {
  const bits = new Uint32Array(length);
  for (let i = 0; i < length; i++) {
    const exponent = least + ((random() >>> 8) % count);
    bits[i] = ((random() & 0x807fffff) | (exponent << 23)) >>> 0;
  }
  return new Float32Array(bits.buffer);
}

function take(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer);
  hash.update(bits.map((each) => ((each & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : each)));
}

/** Exponents of ordinary numbers, of all numbers with NaN, infinity and those below the normal ones, of small ones. */
const RANGES = [
  [120, 16],
  [0, 256],
  [0, 128],
] as const;

/** Products of training: y, dx and dW. */
function trained(x: Float32Array, weight: Float32Array, sizes: readonly [number, number, number]): void {
  const [rows, depth, columns] = sizes;
  const [y, dx] = [new Float32Array(rows * columns), new Float32Array(rows * depth)];
  const dWeight = new Float32Array(columns * depth);
  addon.linear(x, weight, null, y, rows, depth, columns, code);
  const dy = floats(rows * columns, RANGES[0]);
  addon.linearGradient(dy, x, weight, dx, dWeight, null, rows, depth, columns, code);
  for (const result of [y, dx, dWeight]) take(result);
}

/** Products with a packed weight: without a bias, with one, and with ReLU. */
function prepared(x: Float32Array, weight: Float32Array, sizes: readonly [number, number, number]): void {
  const [rows, depth, columns] = sizes;
  const packed = new Float32Array(addon.packedWeightSize(depth, columns, code));
  const bias = floats(columns, RANGES[0]);
  addon.packWeight(weight, packed, depth, columns, code);
  for (const activation of [0, 1]) {
    for (const added of activation === 0 ? [null, bias] : [bias]) {
      const y = new Float32Array(rows * columns);
      addon.packedLinear(x, packed, added, y, rows, depth, columns, activation, code);
      take(y);
    }
  }
}

for (const range of RANGES) {
  for (const rows of [1, 14, 15, 33, 225]) {
    for (const [place, depth] of [1, 2, 3, 15, 16, 31, 33, 65, 1025, 2050].entries()) {
      const columns = [1, 7, 31, 32, 33, 65][(place + rows) % 6];
      const [x, weight] = [floats(rows * depth, range), floats(columns * depth, range)];
      (precision === 'int8' ? prepared : trained)(x, weight, [rows, depth, columns]);
    }
  }
}
console.log(addon.isa, hash.digest('hex'));
