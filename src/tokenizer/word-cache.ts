import { IdList } from '../common/id-list.js';

const MAX_WORDS = 2 ** 17;
const MAX_WORD_BYTES = 64;

/** What a hash of bytes begins with, and what it is multiplied by for each (FNV-1a). */
export const HASH_START = 0x811c9dc5 | 0;
export const HASH_PRIME = 0x01000193;

/**
 * Remembers the ids of words, which are found by their bytes: no string is made of a word that is known. Memory is
 * bounded: when so many words are there, those that were not asked for since the last time are forgotten. Long words are
 * not kept.
 */
export class WordCache {
  /** Where the ids of the word are that was asked for last: ids[from], …, ids[to − 1]. */
  ids: Int32Array = new Int32Array(0);
  from = 0;
  to = 0;
  private recent = new WordTable();
  private older = new WordTable();

  /**
   * Finds the ids of the word line[start], …, line[end − 1].
   *
   * @param hash of its bytes
   * @param find what tells them of a word that is not known
   */
  get(line: Buffer, start: number, end: number, hash: number, find: (word: string) => Int32Array): void {
    let place = this.recent.find(line, start, end, hash);
    if (place < 0) {
      const before = this.older.find(line, start, end, hash);
      const found = before < 0 ? find(line.toString('utf8', start, end)) : this.older.idsOf(before);
      if (end - start > MAX_WORD_BYTES) {
        [this.ids, this.from, this.to] = [found, 0, found.length];
        return;
      }
      if (this.recent.size === MAX_WORDS) [this.recent, this.older] = [new WordTable(), this.recent];
      place = this.recent.add(line, start, end, hash, found);
    }
    this.ids = this.recent.ids;
    this.from = this.recent.idEnds[place];
    this.to = this.recent.idEnds[place + 1];
  }
}

/** Words and their ids by place: open addressing over memory in which they lie one after the other. */
class WordTable {
  size = 0;
  /** Word i has ids[idEnds[i]], …, ids[idEnds[i + 1] − 1]; its bytes lie in the same way. */
  idEnds = new Int32Array(1 + 512);
  private readonly idList = new IdList();
  private byteEnds = new Int32Array(1 + 512);
  private bytes = new Uint8Array(4096);
  private hashes = new Int32Array(512);
  /** Places + 1; 0 is free. */
  private slots = new Int32Array(1024);

  get ids(): Int32Array {
    return this.idList.values;
  }

  idsOf(place: number): Int32Array {
    return this.ids.subarray(this.idEnds[place], this.idEnds[place + 1]);
  }

  /** The place of a word, or −1. */
  find(line: Uint8Array, start: number, end: number, hash: number): number {
    const { slots, hashes, byteEnds, bytes } = this;
    const mask = slots.length - 1;
    for (let slot = spread(hash) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const place = slots[slot] - 1;
      if (hashes[place] !== hash) continue;
      let at = byteEnds[place];
      if (byteEnds[place + 1] - at !== end - start) continue;
      let i = start;
      while (i < end && bytes[at] === line[i]) [i, at] = [i + 1, at + 1];
      if (i === end) return place;
    }
    return -1;
  }

  add(line: Uint8Array, start: number, end: number, hash: number, ids: Int32Array): number {
    if (2 * this.size === this.slots.length) this.grow();
    const place = this.size++;
    const from = this.byteEnds[place];
    const to = from + end - start;
    if (to > this.bytes.length) this.bytes = enlarged(this.bytes, 2 * this.bytes.length);
    this.bytes.set(line.subarray(start, end), from);
    this.idList.append(ids);
    this.byteEnds[place + 1] = to;
    this.idEnds[place + 1] = this.idList.length;
    this.hashes[place] = hash;
    this.claim(place);
    return place;
  }

  private claim(place: number): void {
    const mask = this.slots.length - 1;
    let slot = spread(this.hashes[place]) & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = place + 1;
  }

  private grow(): void {
    this.slots = new Int32Array(2 * this.slots.length);
    const words = this.slots.length / 2;
    this.hashes = enlarged(this.hashes, words);
    this.byteEnds = enlarged(this.byteEnds, words + 1);
    this.idEnds = enlarged(this.idEnds, words + 1);
    for (let place = 0; place < this.size; place++) this.claim(place);
  }
}

/** The low bits of a hash are those that its last bytes have hardly moved. */
const spread = (hash: number): number => hash ^ (hash >>> 15);

function enlarged<T extends Int32Array | Uint8Array>(values: T, length: number): T {
  const grown = new (values.constructor as new (length: number) => T)(length);
  grown.set(values);
  return grown;
}
