import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { explainFileError, UserError } from '../common/errors.js';
import { openInput } from '../common/file-input.js';
import { readPlaces } from '../common/read-places.js';
import {
  dataFile,
  HEADER_BYTES,
  ID_TYPES,
  type IdCode,
  indexFile,
  MAGIC,
  POINTER_BYTES,
  SIZE_BYTES,
  VERSION,
} from './indexed-format.js';

/** First bytes of the formats that fairseq had before. */
const LEGACY_MAGIC = Buffer.from('TNTIDX\0\0', 'latin1');
/** How much of either end of a .bin file goes into the hash. */
const HASHED_BYTES = 1 << 16;
/** Bytes that are read at once where all of a file is wanted. */
const BLOCK = 1 << 22;
const POINTERS_AT_A_TIME = 1 << 16;
/** The most bytes that one call to the system reads. */
const MAX_READ = 1 << 30;

/**
 * The sentences of one side of a split in fairseq's mmap format. The index is held in memory (12 bytes an item),
 * the ids stay on the disk: each item is read when it is asked for.
 */
export class IndexedDataset {
  /** Ids in each item, [N]. */
  readonly sizes: Int32Array;
  private readonly file: string;
  private readonly fd: number;
  private readonly bytes: number;
  private readonly code: IdCode;
  /** Where each item starts in the .bin file, in bytes: [N]. */
  private readonly pointers: Float64Array;

  private constructor(file: string, fd: number, bytes: number, index: Index) {
    this.file = file;
    this.fd = fd;
    this.bytes = bytes;
    this.code = index.code;
    this.sizes = index.sizes;
    this.pointers = index.pointers;
  }

  /**
   * Opens `PREFIX.idx` and `PREFIX.bin`. Every size and pointer of the index is checked against the files.
   *
   * @throws UserError for files that are missing, truncated, of another format or at odds with each other
   */
  static open(prefix: string): IndexedDataset {
    const file = dataFile(prefix);
    const index = readIndex(indexFile(prefix));
    let fd: number | undefined;
    try {
      fd = openInput(file);
      const { size } = fs.fstatSync(fd);
      checkExtents(index, size, prefix);
      return new IndexedDataset(file, fd, size, index);
    } catch (error) {
      if (fd !== undefined) fs.closeSync(fd);
      throw explainFileError(error, file);
    }
  }

  get length(): number {
    return this.sizes.length;
  }

  /** The ids of an item. @throws UserError where an id of 64 bits is out of range, or the file has shrunk */
  get(i: number): Int32Array {
    const ids = new ID_TYPES[this.code](this.sizes[i]);
    readFully(this.fd, ids, this.pointers[i], this.file);
    return this.idsOf(ids);
  }

  /** The ids of some items, read while this thread does something else. @throws as get */
  async getAll(items: Int32Array): Promise<Int32Array[]> {
    const width = ID_TYPES[this.code].BYTES_PER_ELEMENT;
    const places = Array.from(items, (i) => ({ start: this.pointers[i], bytes: this.sizes[i] * width }));
    const found = await readPlaces(this.fd, places);
    return found.map((bytes, i) => {
      const { start, bytes: expected } = places[i];
      if (bytes.length < expected) throw tooShort(this.file, expected, start, bytes.length);
      return this.idsOf(new ID_TYPES[this.code](bytes.slice().buffer));
    });
  }

  /** All items, one after another, read in large blocks. @throws as get */
  *items(): Generator<Int32Array, void, undefined> {
    const type = ID_TYPES[this.code];
    let block = new Uint8Array(0);
    let start = 0;
    for (let i = 0; i < this.length; i++) {
      const [place, bytes] = [this.pointers[i], this.sizes[i] * type.BYTES_PER_ELEMENT];
      if (place < start || place + bytes > start + block.length) {
        block = new Uint8Array(Math.max(bytes, Math.min(BLOCK, this.bytes - place)));
        readFully(this.fd, block, place, this.file);
        start = place;
      }
      yield this.idsOf(new type(block.slice(place - start, place - start + bytes).buffer));
    }
  }

  private idsOf(ids: InstanceType<(typeof ID_TYPES)[IdCode]>): Int32Array {
    if (ids instanceof Int32Array) return ids;
    if (!(ids instanceof BigInt64Array)) return new Int32Array(ids);
    return Int32Array.from(ids, (id) => narrow(id, this.file));
  }

  /** Names the content cheaply: a hash of the index, the size of the .bin file and both its ends. */
  get hash(): string {
    const hash = createHash('sha256').update(this.code + ':' + this.bytes);
    hash.update(this.sizes).update(this.pointers);
    const end = Buffer.alloc(Math.min(HASHED_BYTES, this.bytes));
    for (const position of [0, this.bytes - end.length]) {
      readFully(this.fd, end, position, this.file);
      hash.update(end);
    }
    return hash.digest('hex');
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}

interface Index {
  code: IdCode;
  sizes: Int32Array;
  pointers: Float64Array;
}

function readIndex(file: string): Index {
  let fd: number | undefined;
  try {
    fd = openInput(file);
    const { size } = fs.fstatSync(fd);
    const header = Buffer.alloc(HEADER_BYTES);
    const read = fs.readSync(fd, header, 0, HEADER_BYTES, 0);
    checkMagic(header.subarray(0, read), file);
    if (read < HEADER_BYTES) throw damaged(file, `expected a header of ${HEADER_BYTES} bytes`, `${read}`);
    const { code, count } = parseHeader(header, size, file);
    const sizes = new Int32Array(count);
    readFully(fd, sizes, HEADER_BYTES, file);
    return { code, sizes, pointers: readPointers(fd, count, file) };
  } catch (error) {
    throw explainFileError(error, file);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function checkMagic(start: Buffer, file: string): void {
  if (start.subarray(0, LEGACY_MAGIC.length).equals(LEGACY_MAGIC)) {
    throw new UserError({
      problem: "expected fairseq's mmap format, found the older one of --dataset-impl cached or lazy",
      where: file,
      hint: 'Make the data-bin again with fairseq-preprocess --dataset-impl mmap.',
    });
  }
  const magic = start.subarray(0, MAGIC.length);
  if (!magic.equals(MAGIC)) {
    throw damaged(file, `expected the index of a dataset, which starts with 'MMIDIDX'`, describe(magic));
  }
}

function parseHeader(header: Buffer, size: number, file: string): { code: IdCode; count: number } {
  const version = header.readBigUInt64LE(MAGIC.length);
  if (version !== BigInt(VERSION)) throw damaged(file, `expected version ${VERSION}`, `${version}`);
  const code = header.readUInt8(MAGIC.length + 8);
  if (!(code in ID_TYPES)) throw damaged(file, 'expected a code of an integer type', `${code}`);
  const count = header.readBigUInt64LE(MAGIC.length + 9);
  const expected = BigInt(HEADER_BYTES) + count * BigInt(SIZE_BYTES + POINTER_BYTES);
  if (BigInt(size) !== expected) {
    throw damaged(file, `expected ${expected} bytes for the ${count} items of its header`, `${size} bytes`);
  }
  return { code: code as IdCode, count: Number(count) };
}

function readPointers(fd: number, count: number, file: string): Float64Array {
  const pointers = new Float64Array(count);
  const window = new BigInt64Array(Math.min(count, POINTERS_AT_A_TIME));
  for (let start = 0; start < count; start += window.length) {
    const part = window.subarray(0, Math.min(window.length, count - start));
    readFully(fd, part, HEADER_BYTES + count * SIZE_BYTES + start * POINTER_BYTES, file);
    for (let i = 0; i < part.length; i++) pointers[start + i] = Number(part[i]);
  }
  return pointers;
}

/** Fills an array with the bytes from `position` on. */
function readFully(fd: number, array: ArrayBufferView<ArrayBuffer>, position: number, file: string): void {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let done = 0; done < bytes.length; ) {
    const read = fs.readSync(fd, bytes, done, Math.min(bytes.length - done, MAX_READ), position + done);
    if (read === 0) throw tooShort(file, bytes.length, position, done);
    done += read;
  }
}

function tooShort(file: string, expected: number, position: number, found: number): UserError {
  return damaged(file, `expected ${expected} bytes at ${position}`, `${found}`);
}

/** Every item lies within the .bin file. */
function checkExtents({ code, sizes, pointers }: Index, bytes: number, prefix: string): void {
  for (let i = 0; i < sizes.length; i++) {
    const length = sizes[i] * ID_TYPES[code].BYTES_PER_ELEMENT;
    if (sizes[i] < 0 || pointers[i] < 0) {
      throw damaged(
        indexFile(prefix),
        `item ${i}: expected a size and a place`,
        `${sizes[i]}, ${pointers[i]}`,
      );
    }
    if (pointers[i] + length > bytes) {
      throw damaged(
        dataFile(prefix),
        `expected at least ${pointers[i] + length} bytes, where item ${i} of ${indexFile(prefix)} ends`,
        `${bytes} bytes`,
      );
    }
  }
}

function narrow(id: bigint, file: string): number {
  if (BigInt.asIntN(32, id) !== id) throw damaged(file, 'expected ids of at most 31 bits', `${id}`);
  return Number(id);
}

function describe(bytes: Buffer): string {
  return bytes.length === 0 ? 'an empty file' : `the bytes ${bytes.toString('hex')}`;
}

function damaged(where: string, expected: string, found: string): UserError {
  return new UserError({
    problem: `${expected}, found ${found}`,
    where,
    hint: 'The dataset is damaged or incomplete: make it again with `admin-nmt preprocess --overwrite`.',
  });
}
