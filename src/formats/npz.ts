import * as fs from 'node:fs';
import { DamageError, explainFileError } from '../common/errors.js';
import { openInput } from '../common/file-input.js';
import { type ReadAt, readerOf } from './read-at.js';
import type { NamedArray } from './safetensors.js';
import { STORAGE_TYPES } from './torch-storage.js';
import { checkZipEntry, readZipDirectory, type ZipEntry } from './zip.js';

/**
 * Archives of numpy.savez as Marian writes its models: a zip, not compressed, of one .npy a tensor (numpy/lib/format.py).
 * The header of a .npy is a literal of Python; it is compared with the one form that arrays have, not evaluated.
 */

/** What a file of the archive may be called; names are keys here, and no paths. */
const NAME = /^([\w:+-][\w:.+-]{0,199})\.npy$/;
const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** NumPy itself reads no longer one unless it is told to trust the file. */
const LONGEST_HEADER = 10_000;
const MOST_AXES = 8;
const HEADER =
  /^\{'descr': '([^']{1,16})', 'fortran_order': (True|False), 'shape': \((|\d{1,10},|\d{1,10}(?:, \d{1,10})+,?)\),? ?\}[ \n]*$/;

/** The types that are read, by NumPy's name of them. */
const FLOATS = { '<f4': STORAGE_TYPES.FloatStorage, '<f2': STORAGE_TYPES.HalfStorage } as const;
const BYTES: readonly string[] = ['|i1', '|u1'];

/** An archive that is open, its arrays not read yet. */
export interface Npz {
  /** Of its arrays. */
  names: readonly string[];
  /** The shape of an array. @throws DamageError for a name that is not there */
  shapeOf(name: string): readonly number[];
  /** Reads an array of floats. @throws DamageError for one of another type, or a damaged one */
  read(name: string): NamedArray;
  /** Reads an array of bytes. @param most how many it may have */
  readBytes(name: string, most: number): Buffer;
  close(): void;
}

/**
 * Opens an archive. Every length is compared with the file before memory is taken; nothing in it is run.
 *
 * @throws UserError for a file of another kind or a damaged one
 */
export function openNpz(file: string): Npz {
  let fd: number | undefined;
  try {
    fd = openInput(file);
    return new Archive(file, fd);
  } catch (error) {
    if (fd !== undefined) fs.closeSync(fd);
    throw explainFileError(error, file);
  }
}

interface Header {
  type: string;
  shape: number[];
  /** Where the numbers start, and how many bytes they have. */
  start: number;
  bytes: number;
}

class Archive implements Npz {
  readonly names: readonly string[];
  private readonly file: string;
  private readonly fd: number;
  private readonly readAt: ReadAt;
  private readonly entries = new Map<string, ZipEntry>();

  constructor(file: string, fd: number) {
    this.file = file;
    this.fd = fd;
    const { size } = fs.fstatSync(fd);
    this.readAt = readerOf(fd, size, (problem) => this.refuse(problem));
    const found = readZipDirectory(this.readAt, size, (problem) => this.refuse(problem));
    let bytes = 0;
    for (const [name, entry] of found) {
      const plain = NAME.exec(name)?.[1];
      if (plain === undefined || plain.includes('..')) throw this.refuse(`it has a file ${quoted(name)}`);
      bytes += entry.bytes;
      this.entries.set(plain, entry);
    }
    // Many entries that share their bytes would be a bomb.
    if (bytes > size) throw this.refuse('its files lie over one another');
    this.names = [...this.entries.keys()];
  }

  shapeOf(name: string): readonly number[] {
    return this.header(name).shape;
  }

  read(name: string): NamedArray {
    const { type, shape, start, bytes } = this.header(name);
    const known = Object.hasOwn(FLOATS, type) ? FLOATS[type as keyof typeof FLOATS] : undefined;
    if (known === undefined) throw this.strange(name, type, Object.keys(FLOATS));
    this.checkLength(name, shape, bytes, known.bytes);
    this.check(name);
    return { shape, data: known.read!(this.readAt(start, bytes)) };
  }

  readBytes(name: string, most: number): Buffer {
    const { type, shape, start, bytes } = this.header(name);
    if (!BYTES.includes(type)) throw this.strange(name, type, BYTES);
    this.checkLength(name, shape, bytes, 1);
    if (bytes > most) throw this.refuse(`'${name}' has ${bytes} bytes, expected at most ${most}`);
    this.check(name);
    return this.readAt(start, bytes);
  }

  close(): void {
    fs.closeSync(this.fd);
  }

  private header(name: string): Header {
    const entry = this.entries.get(name);
    if (entry === undefined) throw this.refuse(`it has no '${name}'`);
    const head = this.readAt(entry.start, Math.min(entry.bytes, 12));
    if (head.length < 10 || !head.subarray(0, 6).equals(MAGIC)) throw this.refuse(`'${name}' is no .npy`);
    const wide = head[6] > 1;
    if (head[6] > 3 || head[6] < 1 || (wide && head.length < 12))
      throw this.refuse(`'${name}' is a .npy of version ${head[6]}`);
    const length = wide ? head.readUInt32LE(8) : head.readUInt16LE(8);
    const before = wide ? 12 : 10;
    if (length > LONGEST_HEADER || before + length > entry.bytes)
      throw this.refuse(`the header of '${name}' claims ${length} bytes`);
    const text = this.readAt(entry.start + before, length).toString('latin1');
    const { type, shape } = this.parse(name, text);
    return { type, shape, start: entry.start + before + length, bytes: entry.bytes - before - length };
  }

  private parse(name: string, text: string): { type: string; shape: number[] } {
    const [, type, order, axes] = HEADER.exec(text) ?? [];
    if (type === undefined) throw this.refuse(`the header of '${name}' is ${quoted(text)}`);
    const shape = axes.match(/\d+/g)?.map(Number) ?? [];
    if (order === 'True' && shape.filter((size) => size !== 1).length > 1)
      throw this.refuse(`'${name}' is in Fortran's order`);
    if (shape.length > MOST_AXES) throw this.refuse(`'${name}' has ${shape.length} axes`);
    return { type, shape };
  }

  private strange(name: string, type: string, expected: readonly string[]): DamageError {
    const what = /^[|<>=]?O/.test(type) ? ': objects of Python, a pickle' : '';
    return this.refuse(`'${name}' is of type ${quoted(type)}${what}, expected ${expected.join(' or ')}`);
  }

  private checkLength(name: string, shape: readonly number[], bytes: number, each: number): void {
    const expected = shape.reduce((product, size) => product * size, each);
    if (bytes !== expected)
      throw this.refuse(`'${name}' of shape [${shape}] takes ${expected} bytes, found ${bytes}`);
  }

  private check(name: string): void {
    checkZipEntry(this.readAt, this.entries.get(name)!, (problem) => this.refuse(problem));
  }

  private refuse(problem: string): DamageError {
    return new DamageError({
      problem: `expected a model of Marian (.npz): ${problem}`,
      where: this.file,
      hint: 'The file is damaged, of another kind, or holds more than a model; nothing in it was run.',
    });
  }
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80));
