import { UserError } from '../common/errors.js';
import { widened } from './widened.js';

const CHUNK_BITS = 20;
const CHUNK_BYTES = 2 ** CHUNK_BITS;
/** Offsets are 32 bits. */
const MOST_CHUNKS = 2 ** (32 - CHUNK_BITS);

/** A table as typed arrays alone, for handing it to another thread: `buffersOf` names what is to be transferred. */
export interface WordTableParts {
  readonly size: number;
  /** The words' bytes, one after the other; none is in two chunks. */
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
  readonly offsets: Uint32Array<ArrayBuffer>;
  readonly lengths: Uint16Array<ArrayBuffer>;
  readonly counts: Float64Array<ArrayBuffer>;
}

/** The buffers of a table's parts. */
export function buffersOf({ chunks, offsets, lengths, counts }: WordTableParts): ArrayBuffer[] {
  return [...chunks, offsets, lengths, counts].map(({ buffer }) => buffer);
}

/**
 * Counts of words, which are UTF-8. A Map of strings ends at 2²⁴ entries and takes twice the memory; here a word takes
 * 20 to 25 bytes beside its own (up to half as much again for what has been made room for), and there may be 2³⁰ of
 * them in 4 GiB. Open addressing; words are numbered from 0 as they come.
 */
export class WordTable {
  private count = 0;
  private chunks: Uint8Array<ArrayBuffer>[] = [];
  private used = CHUNK_BYTES;
  private offsets = new Uint32Array(1024);
  private lengths = new Uint16Array(1024);
  private counts = new Float64Array(1024);
  /**
   * 0 where free; else a word's number + 1 in as many low bits as slots are numbered with, and above them bits of its
   * hash, so that few words are looked at in vain.
   */
  private slots = new Uint32Array(2048);

  get size(): number {
    return this.count;
  }

  /** Adds to the count of the word that is bytes `start` to `end`. */
  add(bytes: Uint8Array, start: number, end: number, by: number): void {
    const hash = hashOf(bytes, start, end);
    const mask = this.slots.length - 1;
    const tag = hash & ~mask;
    let slot = hash & mask;
    for (let value = this.slots[slot]; value !== 0; value = this.slots[slot]) {
      const word = (value & mask) - 1;
      if (((value ^ tag) & ~mask) === 0 && this.equals(word, bytes, start, end)) {
        this.counts[word] += by;
        return;
      }
      slot = (slot + 1) & mask;
    }
    this.append(bytes, start, end, by);
    this.slots[slot] = tag | this.count;
    if (4 * this.count > 3 * mask) this.makeSlots(2 * this.slots.length);
  }

  /** Adds the counts of another table. */
  addAll(other: WordTable): void {
    for (let word = 0; word < other.size; word++) {
      const start = other.start(word);
      this.add(other.chunk(word), start, start + other.lengths[word], other.counts[word]);
    }
  }

  countOf(word: number): number {
    return this.counts[word];
  }

  /** The bytes that hold a word, from `start(word)` on. */
  chunk(word: number): Uint8Array {
    return this.chunks[this.offsets[word] >>> CHUNK_BITS];
  }

  start(word: number): number {
    return this.offsets[word] & (CHUNK_BYTES - 1);
  }

  byteLength(word: number): number {
    return this.lengths[word];
  }

  text(word: number): string {
    const start = this.start(word);
    return Buffer.from(this.chunk(word).buffer, start, this.lengths[word]).toString();
  }

  eachCodePoint(word: number, see: (codePoint: number) => void): void {
    const bytes = this.chunk(word);
    const start = this.start(word);
    for (let i = start; i < start + this.lengths[word]; i++) {
      const lead = bytes[i];
      if (lead < 0x80) see(lead);
      else if (lead < 0xe0) see(((lead & 0x1f) << 6) | (bytes[++i] & 0x3f));
      else if (lead < 0xf0) see(((lead & 0x0f) << 12) | ((bytes[++i] & 0x3f) << 6) | (bytes[++i] & 0x3f));
      else
        see(
          ((lead & 0x07) << 18) |
            ((bytes[++i] & 0x3f) << 12) |
            ((bytes[++i] & 0x3f) << 6) |
            (bytes[++i] & 0x3f),
        );
    }
  }

  /** What holds the table, which is empty afterwards. */
  take(): WordTableParts {
    const { count: size, chunks, offsets, lengths, counts } = this;
    Object.assign(this, new WordTable());
    return { size, chunks, offsets, lengths, counts };
  }

  /** Adds what was taken from another table, which is copied only where there are words already. */
  give({ size: count, ...columns }: WordTableParts): void {
    const other = this.count === 0 ? this : new WordTable();
    Object.assign(other, { count, ...columns });
    if (other === this) this.makeSlots(slotsFor(count));
    else this.addAll(other);
  }

  private equals(word: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.lengths[word] !== end - start) return false;
    const chunk = this.chunk(word);
    for (let at = this.start(word), i = start; i < end; at++, i++) {
      if (chunk[at] !== bytes[i]) return false;
    }
    return true;
  }

  private append(bytes: Uint8Array, start: number, end: number, count: number): void {
    const length = end - start;
    if (this.used + length > CHUNK_BYTES) this.addChunk();
    if (this.count === this.offsets.length) this.growColumns();
    const chunk = this.chunks.length - 1;
    const held = this.chunks[chunk];
    for (let i = 0; i < length; i++) held[this.used + i] = bytes[start + i];
    this.offsets[this.count] = chunk * CHUNK_BYTES + this.used;
    this.lengths[this.count] = length;
    this.counts[this.count] = count;
    this.used += length;
    this.count++;
  }

  private addChunk(): void {
    if (this.chunks.length === MOST_CHUNKS) throw tooManyWords();
    this.chunks.push(new Uint8Array(CHUNK_BYTES));
    this.used = 0;
  }

  private growColumns(): void {
    const size = 2 * this.count;
    this.offsets = widened(this.offsets, size);
    this.lengths = widened(this.lengths, size);
    this.counts = widened(this.counts, size);
  }

  private makeSlots(size: number): void {
    this.slots = new Uint32Array(size);
    const mask = size - 1;
    for (let word = 0; word < this.count; word++) {
      const start = this.start(word);
      const hash = hashOf(this.chunk(word), start, start + this.lengths[word]);
      let slot = hash & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = (hash & ~mask) | (word + 1);
    }
  }
}

/** A power of two of which so many words take three quarters at most. */
function slotsFor(words: number): number {
  return 2 ** Math.max(11, Math.ceil(Math.log2((words + 1) / 0.75)));
}

/** FNV-1a with the last steps of MurmurHash3, so that all bits depend on all bytes. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function tooManyWords(): UserError {
  return new UserError({
    problem: 'expected a text of at most 4 GiB of different words, found more',
    hint: 'Train the tokenizer on a part of the text.',
  });
}
