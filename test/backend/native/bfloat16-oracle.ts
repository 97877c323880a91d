/*
 * Products of bfloat16 in whole numbers, as docs/precision.md says they are: an oracle that shares nothing with the engine.
 */

/** Numbers are held as multiples of this. Products of the smallest numbers are some. */
const UNIT = 300;
const LEAST = -126;

function exact(value: number): bigint {
  if (value === 0) return 0n;
  // value · 2^UNIT, of a number of at most 53 bits
  const [, exponent] = split(value);
  const whole = value / 2 ** (exponent - 52);
  return BigInt(whole) * 2n ** BigInt(exponent - 52 + UNIT);
}

/** Mantissa in [1, 2) and exponent. */
function split(value: number): [number, number] {
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const at = Math.abs(value) / 2 ** exponent;
  return at >= 2 ? [at / 2, exponent + 1] : at < 1 ? [at * 2, exponent - 1] : [at, exponent];
}

/** To so many bits, ties to even; below the normal numbers of float32 to 0. `sign` is that of a zero. */
function rounded(whole: bigint, bits: number, sign: number): number {
  if (whole === 0n) return sign * 0;
  const negative = whole < 0n;
  const size = negative ? -whole : whole;
  const length = size.toString(2).length;
  const spare = BigInt(Math.max(0, length - bits));
  let kept = size >> spare;
  const rest = size - (kept << spare);
  const half = spare === 0n ? 0n : 1n << (spare - 1n);
  if (rest > half || (rest === half && spare > 0n && (kept & 1n) === 1n)) kept += 1n;
  const value = Number(kept) * 2 ** (Number(spare) - UNIT);
  const normal = value < 2 ** LEAST ? 0 : value >= 2 ** 128 ? Number.POSITIVE_INFINITY : value;
  return negative ? -normal : normal;
}

const signOf = (value: number): number => (Object.is(value, -0) || value < 0 ? -1 : 1);

/** A float32 rounded to bfloat16. */
export function roundToBfloat16(value: number): number {
  if (!Number.isFinite(value)) return value;
  if (Math.abs(value) < 2 ** LEAST) return signOf(value) * 0;
  return rounded(exact(value), 8, signOf(value));
}

/** a · b + s, rounded once. */
function fused(a: number, b: number, s: number): number {
  if (![a, b, s].every(Number.isFinite)) return a * b + s;
  const product = exact(a) * exact(b);
  const sum = (product >> BigInt(UNIT)) + exact(s);
  const remainder = product - ((product >> BigInt(UNIT)) << BigInt(UNIT));
  if (remainder !== 0n) throw new Error('the unit of the oracle is too large');
  const sign = signOf(a) * signOf(b) === -1 && signOf(s) === -1 ? -1 : 1;
  return rounded(sum, 24, sign);
}

/** Σ a·b as the engine adds it. */
export function chain(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let p = 0; p < a.length; p += 2) {
    for (const q of [p + 1, p]) {
      const [x, y] = q < a.length ? [roundToBfloat16(a[q]), roundToBfloat16(b[q])] : [0, 0];
      sum = fused(x, y, sum);
    }
  }
  return sum;
}
