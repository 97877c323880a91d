/** A 64-bit number in halves, each unsigned. */
export interface Fingerprint {
  readonly high: number;
  readonly low: number;
}

/** Shifts of the twelve steps; to the left where negative. */
const SHIFTS = [43, -9, 8, 38, -23, 5, 35, -49, 11, 12, -18, 22];
const GOLDEN: Fingerprint = { high: 0xe08c1d66, low: 0x8b756f82 };

/**
 * The fingerprint of a pair from those of its parts (util.h, FingerprintCat): Jenkins's mix of three 64-bit numbers.
 * A step subtracts the other two from one and adds a shifted one by exclusive or.
 */
export function joinFingerprints(left: Fingerprint, right: Fingerprint): Fingerprint {
  const state = [left, GOLDEN, right];
  SHIFTS.forEach((shift, step) => {
    const [a, b, c] = [step % 3, (step + 1) % 3, (step + 2) % 3];
    const difference = subtract(subtract(state[a], state[b]), state[c]);
    const { high, low } = shiftRight(state[c], shift);
    state[a] = { high: (difference.high ^ high) >>> 0, low: (difference.low ^ low) >>> 0 };
  });
  return state[2];
}

function subtract(a: Fingerprint, b: Fingerprint): Fingerprint {
  const borrow = a.low < b.low ? 1 : 0;
  return { high: (a.high - b.high - borrow) >>> 0, low: (a.low - b.low) >>> 0 };
}

function shiftRight({ high, low }: Fingerprint, by: number): Fingerprint {
  if (by >= 32) return { high: 0, low: high >>> (by - 32) };
  if (by > 0) return { high: high >>> by, low: ((low >>> by) | (high << (32 - by))) >>> 0 };
  if (by <= -32) return { high: (low << (-by - 32)) >>> 0, low: 0 };
  return { high: ((high << -by) | (low >>> (32 + by))) >>> 0, low: (low << -by) >>> 0 };
}
