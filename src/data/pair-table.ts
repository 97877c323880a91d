/** Numbers of a slot: a source id + 1 (0 where it is free), a target id, a probability and a count. */
const SLOT = 4;
const [PROBABILITY, COUNT] = [2, 3];

/**
 * Pairs of a source and a target id, each with a probability and a count: 16 bytes a slot in open addressing, so that a
 * look takes one line of the processor's cache.
 */
export class PairTable {
  private words = new Uint32Array(SLOT * 1024);
  private floats = new Float32Array(this.words.buffer);
  private pairs = 0;

  /** Pairs that are there. */
  get size(): number {
    return this.pairs;
  }

  /** The place of a pair, until another is made or dropped; for one that is not there, a place where all is 0. */
  find(source: number, target: number): number {
    const { words } = this;
    const mask = words.length / SLOT - 1;
    let hash = Math.imul(source, 0x9e3779b1) ^ Math.imul(target, 0x85ebca6b);
    hash ^= hash >>> 15;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = SLOT * slot;
      if (words[place] === 0 || (words[place] === source + 1 && words[place + 1] === target)) return place;
    }
  }

  /** As find, of a pair that is made where it is not there. */
  make(source: number, target: number): number {
    const place = this.find(source, target);
    if (this.words[place] !== 0) return place;
    if (8 * (this.pairs + 1) <= 5 * (this.words.length / SLOT)) return this.fill(place, source, target);
    this.rebuild(2 * this.words.length, () => true);
    return this.fill(this.find(source, target), source, target);
  }

  probability(place: number): number {
    return this.floats[place + PROBABILITY];
  }

  /** Adds to the count of a pair that is there. */
  add(place: number, count: number): void {
    this.floats[place + COUNT] += count;
  }

  /** Takes the count of each pair over the total of its source for its probability, and begins to count again. */
  normalize(totals: Float64Array): void {
    const { words, floats } = this;
    for (let place = 0; place < words.length; place += SLOT) {
      if (words[place] === 0) continue;
      floats[place + PROBABILITY] = floats[place + COUNT] / totals[words[place] - 1];
      floats[place + COUNT] = 0;
    }
  }

  /** Looks at each pair, in an order that follows from what was made and dropped before. */
  forEach(see: (source: number, target: number, probability: number, count: number) => void): void {
    visit(this.words, this.floats, see);
  }

  /** Drops the pairs that are not wanted. */
  keep(wanted: (source: number, target: number, probability: number, count: number) => boolean): void {
    this.rebuild(this.words.length, wanted);
  }

  private fill(place: number, source: number, target: number): number {
    this.words[place] = source + 1;
    this.words[place + 1] = target;
    this.pairs++;
    return place;
  }

  private rebuild(length: number, wanted: Parameters<PairTable['keep']>[0]): void {
    const { words, floats } = this;
    this.words = new Uint32Array(length);
    this.floats = new Float32Array(this.words.buffer);
    this.pairs = 0;
    visit(words, floats, (source, target, probability, count) => {
      if (!wanted(source, target, probability, count)) return;
      const place = this.fill(this.find(source, target), source, target);
      this.floats[place + PROBABILITY] = probability;
      this.floats[place + COUNT] = count;
    });
  }
}

function visit(words: Uint32Array, floats: Float32Array, see: Parameters<PairTable['forEach']>[0]): void {
  for (let place = 0; place < words.length; place += SLOT) {
    if (words[place] !== 0)
      see(words[place] - 1, words[place + 1], floats[place + PROBABILITY], floats[place + COUNT]);
  }
}
