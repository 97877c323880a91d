import { createHash } from 'node:crypto';

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

  /** @returns false where the pair was there before */
  add(source: string, target: string): boolean {
    // Lines hold no line break.
    const digest = createHash('sha256').update(`${source}\n${target}`).digest();
    const [low, high] = [digest.readUInt32LE(0), digest.readUInt32LE(4) || 1];
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
