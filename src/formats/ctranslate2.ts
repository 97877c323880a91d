import { DamageError } from '../common/errors.js';
import { readFileBounded } from '../common/file-input.js';
import { writeAtomic } from '../common/files.js';

/**
 * CTranslate2's model.bin, version 6 (its python/ctranslate2/specs/model_spec.py, src/models/model.cc), little endian:
 * u32 version; name and u32 revision of the specification; u32 number of variables, each name, u8 rank, u32 sizes, u8
 * type, u32 bytes, data; u32 number of aliases, each two names. A name is u16 length with the NUL at its end, and bytes.
 */

const VERSION = 6;
/** The lengths of the format have 32 bits. */
const MOST_BYTES = 2 ** 32 - 1;

/** The types in the order of their numbers. */
const TYPES = [Float32Array, Int8Array, Int16Array, Int32Array] as const;
type Data = Float32Array | Int8Array | Int16Array | Int32Array;

export interface Ctranslate2Variable {
  /** [] for a scalar. */
  shape: readonly number[];
  data: Data;
}

export interface Ctranslate2Model {
  /** Name of the specification, such as TransformerSpec. */
  specification: string;
  revision: number;
  /** By name. Variables that share their data are written once and read as sharing it. */
  variables: Map<string, Ctranslate2Variable>;
}

/** Writes a model.bin. Variables go by name; the first of those that share their data holds it. */
export function writeCtranslate2(
  file: string,
  { specification, revision, variables }: Ctranslate2Model,
): void {
  const holders = new Map<Data, string>();
  const aliases: [alias: string, name: string][] = [];
  const sorted = [...variables].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { data }] of sorted) {
    const holder = holders.get(data);
    if (holder === undefined) holders.set(data, name);
    else aliases.push([name, holder]);
  }
  writeAtomic(file, (writeOut) => {
    const write = (...pieces: Uint8Array[]): void => {
      for (const piece of pieces) writeOut(piece);
    };
    write(u32(VERSION), text(specification), u32(revision), u32(holders.size));
    for (const [data, name] of holders) {
      if (data.byteLength > MOST_BYTES) throw new Error(`'${name}' has more bytes than the format can hold`);
      const { shape } = variables.get(name)!;
      const type = TYPES.findIndex((Type) => data instanceof Type);
      write(
        text(name),
        Uint8Array.of(shape.length),
        ...shape.map(u32),
        Uint8Array.of(type),
        u32(data.byteLength),
      );
      write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    write(u32(aliases.length), ...aliases.flat().map(text));
  });
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(`${value}\0`);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/**
 * Reads a model.bin.
 *
 * @throws DamageError for a file that is cut short, too long, or of another version; lengths are checked before anything
 *   is allocated
 */
export function readCtranslate2(file: string): Ctranslate2Model {
  const reader = new Reader(file, readFileBounded(file, "CTranslate2's model.bin"));
  const version = reader.u32();
  if (version !== VERSION) throw reader.refuse(`expected version ${VERSION}, found ${version}`);
  const [specification, revision] = [reader.text(), reader.u32()];
  const variables = new Map<string, Ctranslate2Variable>();
  for (let left = reader.u32(); left > 0; left--) variables.set(reader.text(), reader.variable());
  for (let left = reader.u32(); left > 0; left--) {
    const [alias, name] = [reader.text(), reader.text()];
    const variable = variables.get(name);
    if (variable === undefined) throw reader.refuse(`'${alias}' stands for '${name}', which is not there`);
    variables.set(alias, variable);
  }
  reader.finish();
  return { specification, revision, variables };
}

/** Goes through bytes from their start to their end. */
class Reader {
  private readonly file: string;
  private readonly bytes: Buffer;
  private place = 0;

  constructor(file: string, bytes: Buffer) {
    this.file = file;
    this.bytes = bytes;
  }

  u32(): number {
    return this.take(4).readUInt32LE();
  }

  text(): string {
    const bytes = this.take(this.take(2).readUInt16LE());
    if (bytes.at(-1) !== 0) throw this.refuse('a name has no NUL at its end');
    return bytes.toString('utf8', 0, bytes.length - 1);
  }

  variable(): Ctranslate2Variable {
    const rank = this.take(1)[0];
    const shape = Array.from({ length: rank }, () => this.u32());
    const Type = TYPES[this.take(1)[0]];
    if (Type === undefined) throw this.refuse('a variable is of an unknown type');
    const bytes = this.u32();
    const size = shape.reduce((product, axis) => product * axis, Type.BYTES_PER_ELEMENT);
    if (size !== bytes)
      throw this.refuse(`a variable of shape [${shape}] takes ${size} bytes, found ${bytes}`);
    const copy = Uint8Array.from(this.take(bytes));
    return { shape, data: new Type(copy.buffer) };
  }

  finish(): void {
    const left = this.bytes.length - this.place;
    if (left > 0) throw this.refuse(`${left} bytes are left over`);
  }

  refuse(problem: string): DamageError {
    return new DamageError({
      problem: `expected CTranslate2's model.bin: ${problem}`,
      where: this.file,
      hint: 'The file is damaged, cut short, or of another kind.',
    });
  }

  private take(length: number): Buffer {
    const end = this.place + length;
    if (end > this.bytes.length) throw this.refuse(`it is cut short at byte ${this.bytes.length}`);
    const bytes = this.bytes.subarray(this.place, end);
    this.place = end;
    return bytes;
  }
}
