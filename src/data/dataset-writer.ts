import * as fs from 'node:fs';
import { explainFileError } from '../common/errors.js';
import { type AtomicFile, openAtomic } from '../common/file-output.js';
import { writeFileAtomic } from '../common/files.js';
import {
  dataFile,
  HEADER_BYTES,
  ID_TYPES,
  idCodeFor,
  indexFile,
  MAGIC,
  POINTER_BYTES,
  SIZE_BYTES,
  VERSION,
} from './indexed-format.js';

/** Ids that are written at a time. */
const BUFFER_IDS = 1 << 17;

/**
 * Writes `PREFIX.bin` and `PREFIX.idx` in fairseq's mmap format, item by item. Neither file appears before
 * `finish`. Memory: 4 bytes an item.
 */
export class DatasetWriter {
  private readonly prefix: string;
  private readonly code: 8 | 4;
  private readonly file: AtomicFile;
  private readonly buffer: Uint16Array | Int32Array;
  private used = 0;
  private sizes = new Int32Array(1024);
  private count = 0;

  /** @param vocabularySize decides the type of the ids, as in fairseq */
  constructor(prefix: string, vocabularySize: number) {
    this.prefix = prefix;
    this.code = idCodeFor(vocabularySize);
    this.buffer = new ID_TYPES[this.code](BUFFER_IDS);
    this.file = openAtomic(dataFile(prefix));
  }

  /** The files that it writes. */
  get files(): string[] {
    return [dataFile(this.prefix), indexFile(this.prefix)];
  }

  /** Items so far. */
  get length(): number {
    return this.count;
  }

  /** Writes the item ids[from], …, ids[to − 1]: a sentence, whose last is `</s>`, or the links of a pair. */
  add(ids: ArrayLike<number>, from = 0, to = ids.length): void {
    for (let i = from; i < to; i++) this.put(ids[i]);
    if (this.count === this.sizes.length) {
      const grown = new Int32Array(2 * this.count);
      grown.set(this.sizes);
      this.sizes = grown;
    }
    this.sizes[this.count++] = to - from;
  }

  /** Puts both files in their place. @throws UserError for what a user can mend (no space, …) */
  finish(): void {
    try {
      this.flush();
      this.file.commit();
    } catch (error) {
      this.discard();
      throw error;
    }
    writeFileAtomic(indexFile(this.prefix), indexBytes(this.sizes.subarray(0, this.count), this.code));
  }

  /** Removes what is not finished. */
  discard(): void {
    this.file.discard();
  }

  private put(id: number): void {
    if (this.used === BUFFER_IDS) this.flush();
    this.buffer[this.used++] = id;
  }

  private flush(): void {
    const { buffer } = this.buffer;
    this.file.write(new Uint8Array(buffer, 0, this.used * this.buffer.BYTES_PER_ELEMENT));
    this.used = 0;
  }
}

/**
 * The bytes of an .idx file.
 *
 * @param sizes ids in each item, [N]; more than 4 GiB of them are well
 */
export function indexBytes(sizes: Int32Array, code: 8 | 4): Buffer {
  const count = sizes.length;
  const start = -HEADER_BYTES & 3; // what comes after the header is aligned for its words
  const sizesAt = start + HEADER_BYTES;
  const pointersAt = sizesAt + count * SIZE_BYTES;
  const memory = new ArrayBuffer(pointersAt + count * POINTER_BYTES);
  const index = Buffer.from(memory, start);
  MAGIC.copy(index);
  index.writeBigUInt64LE(BigInt(VERSION), MAGIC.length);
  index.writeUInt8(code, MAGIC.length + 8);
  index.writeBigUInt64LE(BigInt(count), MAGIC.length + 9);
  new Int32Array(memory, sizesAt, count).set(sizes);
  const pointers = new Uint32Array(memory, pointersAt); // two words each, the lower one first
  for (let i = 0, address = 0; i < count; i++) {
    pointers[2 * i] = address; // modulo 2³²
    pointers[2 * i + 1] = address / 2 ** 32;
    address += sizes[i] * ID_TYPES[code].BYTES_PER_ELEMENT;
  }
  return index;
}

/**
 * Replaces every id of `PREFIX.bin` by `table[id]`, in place.
 *
 * @param vocabularySize that of the writer
 */
export function remapIds(prefix: string, vocabularySize: number, table: Int32Array): void {
  const file = dataFile(prefix);
  const ids = new ID_TYPES[idCodeFor(vocabularySize)](BUFFER_IDS);
  const bytes = new Uint8Array(ids.buffer);
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, 'r+');
    for (let position = 0; ; ) {
      const length = fs.readSync(fd, bytes, 0, bytes.length, position);
      if (length === 0) break;
      const count = length / ids.BYTES_PER_ELEMENT;
      for (let i = 0; i < count; i++) ids[i] = table[ids[i]];
      for (let done = 0; done < length; ) {
        done += fs.writeSync(fd, bytes, done, length - done, position + done);
      }
      position += length;
    }
    fs.fsyncSync(fd);
  } catch (error) {
    throw explainFileError(error, file);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
