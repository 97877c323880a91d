/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3",
 * SC 2011). A number is a function of (seed, step, purpose, index) and of nothing else, so dropout masks are the
 * same on every backend, and shuffles and initial weights do not depend on what was drawn before.
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** What a stream of numbers is for; part of the counter, so that streams never overlap. Never renumber. */
export const Purpose = {
  init: 1,
  shuffle: 2,
  dropout: 3,
  bpeDropout: 4,
  data: 5,
  test: 6,
  perturbation: 7,
  lineSample: 8,
  sampling: 9,
  mixture: 10,
} as const;
export type Purpose = (typeof Purpose)[keyof typeof Purpose];

/** High 32 bits of the product of two unsigned 32-bit integers, in 16-bit halves. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // No product and no sum of these is more than 32 bits.
  const middle = ((Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16)) >>> 0;
  const carry = ((Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff)) >>> 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/**
 * One Philox4x32-10 block.
 *
 * @param out receives the four unsigned 32-bit words
 */
export function philox(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  key0: number,
  key1: number,
  out: Uint32Array,
): void {
  let [x0, x1, x2, x3, k0, k1] = [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0, key0 >>> 0, key1 >>> 0];
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, x0);
    const low0 = Math.imul(M0, x0);
    const high1 = mulHigh(M1, x2);
    const low1 = Math.imul(M1, x2);
    x0 = (high1 ^ x1 ^ k0) >>> 0;
    x1 = low1 >>> 0;
    x2 = (high0 ^ x3 ^ k1) >>> 0;
    x3 = low0 >>> 0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

/** Names one stream: the run's seed, the step (update, epoch, …) and what it is for (`site` tells uses apart). */
export interface StreamKey {
  seed: number;
  step: number;
  purpose: Purpose;
  /** Which use within the purpose: a dropout site, a parameter. */
  site?: number;
}

/** A stream of numbers addressed by index; `next…` walk it from the start. */
export class RandomStream {
  private readonly key: StreamKey;
  private readonly block = new Uint32Array(4);
  private blockIndex = -1;
  private position = 0;

  constructor(key: StreamKey) {
    this.key = key;
  }

  /** The unsigned 32-bit number at `index` (an integer below 2^34). */
  at(index: number): number {
    const blockIndex = Math.floor(index / 4);
    if (blockIndex !== this.blockIndex) {
      const { seed, step, purpose, site = 0 } = this.key;
      philox(blockIndex, site, purpose, step, seed, Math.floor(seed / 2 ** 32), this.block);
      this.blockIndex = blockIndex;
    }
    return this.block[index - blockIndex * 4];
  }

  nextUint32(): number {
    return this.at(this.position++);
  }

  /** Uniform in [0, 1), 32 bits. */
  nextUniform(): number {
    return this.nextUint32() / 2 ** 32;
  }

  /** Uniform in {0, …, n − 1} without bias, by rejection. */
  nextBelow(n: number): number {
    const first = this.nextUint32();
    // Below that no draw is rejected, and 32 bits are divided in no time.
    if (first < 2 ** 32 - n && n < 2 ** 31) return (first >>> 0) % (n >>> 0);
    const limit = 2 ** 32 - (2 ** 32 % n);
    let draw = first;
    while (draw >= limit) draw = this.nextUint32();
    return draw % n;
  }

  /** Standard normal, by Box and Muller. */
  nextNormal(): number {
    const u = (this.nextUint32() + 1) / (2 ** 32 + 1);
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * this.nextUniform());
  }

  /** Shuffles in place (Fisher and Yates). */
  shuffle<A extends { length: number; [index: number]: unknown }>(items: A): A {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.nextBelow(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}
