/**
 * numpy's `default_rng(seed)`: the draws that sacreBLEU's tests are made of, so that intervals and p-values are the same.
 * SeedSequence (O'Neill 2015, numpy/random/bit_generator.pyx) fills the state of PCG64, the 128-bit generator PCG XSL-RR
 * (O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms").
 */

const POOL_SIZE = 4;
const INIT_A = 0x43b0d7e5;
const MULT_A = 0x931e8875;
const INIT_B = 0x8b51f9dd;
const MULT_B = 0x58f38ded;
const MIX_L = 0xca01f9dd;
const MIX_R = 0x4973f715;

/**
 * SeedSequence(entropy).generate_state(count).
 *
 * @param entropy 32-bit words, the lowest first
 * @returns 32-bit words
 */
export function seedWords(entropy: readonly number[], count: number): Uint32Array {
  let constant = INIT_A;
  const hash = (word: number) => {
    const mixed = (word ^ constant) >>> 0;
    constant = Math.imul(constant, MULT_A);
    const product = Math.imul(mixed, constant);
    return product ^ (product >>> 16);
  };
  const mix = (x: number, y: number) => {
    const difference = (Math.imul(MIX_L, x) - Math.imul(MIX_R, y)) | 0;
    return difference ^ (difference >>> 16);
  };
  const pool = Array.from({ length: POOL_SIZE }, (_, i) => hash(entropy[i] ?? 0));
  for (let from = 0; from < POOL_SIZE; from++) {
    for (let to = 0; to < POOL_SIZE; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  }
  for (const word of entropy.slice(POOL_SIZE)) {
    for (let to = 0; to < POOL_SIZE; to++) pool[to] = mix(pool[to], hash(word));
  }
  let outward = INIT_B;
  return Uint32Array.from({ length: count }, (_, i) => {
    const mixed = pool[i % POOL_SIZE] ^ outward;
    outward = Math.imul(outward, MULT_B);
    const product = Math.imul(mixed, outward);
    return product ^ (product >>> 16);
  });
}

/** The 128-bit numbers of PCG64 are kept in six limbs of 22 bits: sums of six products of limbs are exact in a double. */
const LIMBS = 6;
const BASE = 2 ** 22;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const MULTIPLIER_LIMBS = limbsOf(MULTIPLIER);

function limbsOf(value: bigint): Float64Array {
  return Float64Array.from({ length: LIMBS }, (_, i) => Number((value >> BigInt(22 * i)) & 0x3fffffn));
}

function wholeOf(limbs: Float64Array): bigint {
  return limbs.reduceRight((value, limb) => (value << 22n) | BigInt(limb), 0n);
}

/** What is above bit 127 of the highest limb. */
const TOP = 2 ** (128 - 22 * (LIMBS - 1));

const modulo = (value: bigint): bigint => BigInt.asUintN(128, value);

/** PCG64 as a stream of 32-bit words, the low half of each 64-bit output first, as numpy hands them out. */
class Pcg64 {
  private readonly state: Float64Array;
  private readonly increment: Float64Array;

  constructor(entropy: readonly number[]) {
    const words = seedWords(entropy, 8);
    // numpy reads the words as four 64-bit numbers: high and low half of the state, then of the stream.
    const wide = (i: number) => (BigInt(words[i + 1]) << 32n) | BigInt(words[i]);
    const increment = modulo((((wide(4) << 64n) | wide(6)) << 1n) | 1n);
    const state = (increment + ((wide(0) << 64n) | wide(2))) * MULTIPLIER + increment;
    this.state = limbsOf(modulo(state));
    this.increment = limbsOf(increment);
  }

  /**
   * Goes on by `steps` 64-bit outputs, back where they are negative: a step is an affine map, and the maps of 2, 4, 8 … steps
   * come of squaring it (Brown 1994, "Random number generation with arbitrary strides").
   */
  advance(steps: number): void {
    let state = wholeOf(this.state);
    let [factor, summand] = [MULTIPLIER, wholeOf(this.increment)];
    for (let left = modulo(BigInt(steps)); left > 0n; left >>= 1n) {
      if (left & 1n) state = modulo(factor * state + summand);
      [factor, summand] = [modulo(factor * factor), modulo((factor + 1n) * summand)];
    }
    this.state.set(limbsOf(state));
  }

  /** Fills memory of an even length with the next words. */
  fill(out: Uint32Array): void {
    let [s0, s1, s2, s3, s4, s5] = this.state;
    const [c0, c1, c2, c3, c4, c5] = this.increment;
    const [m0, m1, m2, m3, m4, m5] = MULTIPLIER_LIMBS;
    for (let i = 0; i < out.length; i += 2) {
      let sum = s0 * m0 + c0;
      let carry = Math.floor(sum / BASE);
      const t0 = sum - carry * BASE;
      sum = s0 * m1 + s1 * m0 + c1 + carry;
      carry = Math.floor(sum / BASE);
      const t1 = sum - carry * BASE;
      sum = s0 * m2 + s1 * m1 + s2 * m0 + c2 + carry;
      carry = Math.floor(sum / BASE);
      const t2 = sum - carry * BASE;
      sum = s0 * m3 + s1 * m2 + s2 * m1 + s3 * m0 + c3 + carry;
      carry = Math.floor(sum / BASE);
      const t3 = sum - carry * BASE;
      sum = s0 * m4 + s1 * m3 + s2 * m2 + s3 * m1 + s4 * m0 + c4 + carry;
      carry = Math.floor(sum / BASE);
      const t4 = sum - carry * BASE;
      sum = s0 * m5 + s1 * m4 + s2 * m3 + s3 * m2 + s4 * m1 + s5 * m0 + c5 + carry;
      s5 = sum - Math.floor(sum / TOP) * TOP;
      [s0, s1, s2, s3, s4] = [t0, t1, t2, t3, t4];

      // XSL-RR: the two halves, one xor the other, turned right by the six highest bits.
      const low = (s0 | (s1 << 22)) ^ ((s2 >>> 20) | (s3 << 2) | (s4 << 24));
      const high = ((s1 >>> 10) | (s2 << 12)) ^ ((s4 >>> 8) | (s5 << 14));
      const turn = s5 >>> 12;
      const [first, second] = turn < 32 ? [low, high] : [high, low];
      const by = turn & 31;
      out[i] = by === 0 ? first : (first >>> by) | (second << (32 - by));
      out[i + 1] = by === 0 ? second : (second >>> by) | (first << (32 - by));
    }
    this.state.set([s0, s1, s2, s3, s4, s5]);
  }
}

const BLOCK = 8192;

/** What sacreBLEU asks of numpy's generator. */
export class NumpyGenerator {
  private readonly source: Pcg64;
  private readonly words = new Uint32Array(BLOCK);
  private next = BLOCK;
  /** Words that the source has given, the last block of which is in memory. */
  private filled = 0;

  /** @param entropy see entropyOf */
  constructor(entropy: readonly number[]) {
    this.source = new Pcg64(entropy);
  }

  /** How many 32-bit words of the stream have been used. */
  get place(): number {
    return this.filled - (BLOCK - this.next);
  }

  /** Goes to a place in the stream, forward or back, in a time that hardly depends on how far it is. */
  seek(place: number): void {
    const next = place - (this.filled - BLOCK);
    if (this.filled > 0 && next >= 0 && next <= BLOCK) {
      this.next = next;
      return;
    }
    const even = place - (place % 2);
    this.source.advance((even - this.filled) / 2);
    this.filled = even;
    this.refill();
    this.next = place - even;
  }

  /** `rng.choice(size, out.length)`, as often as it is called one after another: integers from 0 to below `size`. */
  choose(size: number, out: Uint32Array): void {
    if (size === 1) {
      out.fill(0);
      return;
    }
    // Lemire's multiplication: the high half of word · size is uniform where the low half is not among the few that
    // are rejected. The product is below 2^53 as long as size is below 2^21; beyond that it is made in two parts.
    const threshold = (2 ** 32 - size) % size;
    const { words } = this;
    for (let i = 0; i < out.length; ) {
      if (this.next === BLOCK) this.refill();
      let next = this.next;
      for (; i < out.length && next < BLOCK; next++) {
        const word = words[next];
        if (Math.imul(word, size) >>> 0 >= threshold) {
          out[i++] = size < 2 ** 21 ? (word * size) / 2 ** 32 : highProduct(word, size);
        }
      }
      this.next = next;
    }
  }

  /** The next 32 random bits: coins of `rng.integers(2, dtype=bool)`, the first in the lowest bit. */
  word(): number {
    if (this.next === BLOCK) this.refill();
    return this.words[this.next++];
  }

  private refill(): void {
    this.source.fill(this.words);
    this.filled += BLOCK;
    this.next = 0;
  }
}

function highProduct(a: number, b: number): number {
  const high = Math.floor(a / 65536) * b;
  const low = (a % 65536) * b;
  return Math.floor((high + Math.floor(low / 65536)) / 65536);
}

/**
 * What a generator starts from, 32-bit words with the lowest first.
 *
 * @param seed an integer of 0 or more; null takes entropy from the system
 */
export function entropyOf(seed: number | null): number[] {
  if (seed === null) return [...globalThis.crypto.getRandomValues(new Uint32Array(4))];
  const words: number[] = [];
  for (let rest = BigInt(seed); rest > 0n || words.length === 0; rest >>= 32n)
    words.push(Number(rest & 0xffffffffn));
  return words;
}
