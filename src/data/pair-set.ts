import { createHash } from 'node:crypto';

/** What a PairSet keeps of a pair; lines hold no line break. */
export function hashPair(source: Uint8Array, target: Uint8Array): [low: number, high: number] {
  const digest = createHash('sha256').update(source).update('\n').update(target).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4) || 1];
}

/**
 * A set of sentence pairs that holds 64 bits of a hash of each in place of its text: 11 to 22 bytes a pair. Two
 * different pairs are taken for the same with a probability of n² / 2⁶⁵ (5·10⁻⁵ for 40 million pairs).
 */
export class PairSet {
  /** Open addressing; a slot is two words, both 0 where it is free. */
  private slots = new Uint32Array(2 * 1024);
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Adds the pair of this hash (see hashPair). @returns false where it was there before */
  add(low: number, high: number): boolean {
    const slot = this.find(low, high);
    if (this.slots[slot + 1] !== 0) return false;
    this.slots[slot] = low;
    this.slots[slot + 1] = high;
    this.count++;
    if (8 * this.count > 3 * this.slots.length) this.grow();
    return true;
  }

  /** The slot that holds this hash, or the free one where it belongs. */
  private find(low: number, high: number): number {
    const { slots } = this;
    const mask = slots.length / 2 - 1;
    for (let bucket = low & mask; ; bucket = (bucket + 1) & mask) {
      const slot = 2 * bucket;
      if (slots[slot + 1] === 0 || (slots[slot] === low && slots[slot + 1] === high)) return slot;
    }
  }

  private grow(): void {
    const before = this.slots;
    this.slots = new Uint32Array(2 * before.length);
    for (let slot = 0; slot < before.length; slot += 2) {
      if (before[slot + 1] === 0) continue;
      const place = this.find(before[slot], before[slot + 1]);
      this.slots[place] = before[slot];
      this.slots[place + 1] = before[slot + 1];
    }
  }
}
