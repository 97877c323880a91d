import * as fs from 'node:fs';
import { DamageError, explainFileError } from '../common/errors.js';
import { openInput } from '../common/file-input.js';
import { checkBytes, checkSum, type FileSum, Summing } from '../common/file-sum.js';
import { writeAtomic } from '../common/files.js';
import { parseJson } from '../common/json.js';
import { readFully } from './read-at.js';

export interface NamedArray {
  shape: readonly number[];
  data: Float32Array;
}

/** A tensor as a file holds it: float32, int8, or bfloat16, of which these are the bits. */
export interface StoredArray {
  shape: readonly number[];
  data: Float32Array | Int8Array | Uint16Array;
}

/** By the format's name of a type. */
const TYPES = { F32: Float32Array, I8: Int8Array, BF16: Uint16Array } as const;
type TypeName = keyof typeof TYPES;

export interface Safetensors {
  tensors: Map<string, NamedArray>;
  metadata: Record<string, string>;
}

/** The most that the format allows. */
const LONGEST_HEADER = 100_000_000;

/**
 * Writes tensors in the safetensors format: u64 header length, JSON header, data; little endian, the
 * header padded with spaces so that the data starts at a multiple of 8.
 *
 * @returns the sum of what was to be written
 * @throws UserError for what the user can mend (no space, no permission, …)
 */
export function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, StoredArray>,
  metadata: Record<string, string> = {},
): FileSum {
  const layout = [...tensors].map(([name, { shape, data }]): LaidOut => {
    const type = data instanceof Int8Array ? 'I8' : data instanceof Uint16Array ? 'BF16' : 'F32';
    return { name, shape, type };
  });
  const pieces = [...tensors.values()].map(
    ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  return writeInPieces(file, layout, pieces, metadata);
}

/** A tensor of a file, without its values. */
export interface LaidOut {
  name: string;
  shape: readonly number[];
  type: TypeName;
}

/** Bytes of a tensor's values. */
export const bytesOf = ({ shape, type }: LaidOut): number =>
  shape.reduce((product, axis) => product * axis, TYPES[type].BYTES_PER_ELEMENT);

/**
 * As writeSafetensors, where the values need not be there at once.
 *
 * @param pieces the values of all tensors, in this order; each is looked at before the next one is asked for
 */
export function writeInPieces(
  file: string,
  layout: readonly LaidOut[],
  pieces: Iterable<Uint8Array>,
  metadata: Record<string, string>,
): FileSum {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const tensor of layout) {
    const end = offset + bytesOf(tensor);
    header[tensor.name] = { dtype: tensor.type, shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, ' ');
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const summing = new Summing();
  writeAtomic(file, (writeOut) => {
    const write = (bytes: Uint8Array): void => {
      summing.add(bytes);
      writeOut(bytes);
    };
    write(length);
    write(padded);
    for (const piece of pieces) write(piece);
  });
  return summing.finish();
}

/**
 * Reads a safetensors file of float32 tensors.
 *
 * @param expected what was written, to be compared with what is read
 * @throws DamageError when the file is damaged or holds other types; sizes are checked before anything is allocated
 */
export function readSafetensors(file: string, expected?: FileSum): Safetensors {
  const tensors = new Map<string, NamedArray>();
  const metadata = scanSafetensors(file, expected, (name, array) => tensors.set(name, array));
  return { tensors, metadata };
}

/**
 * As readSafetensors, one tensor at a time in the order of the file. What is seen is not yet compared with
 * `expected`: that is done when all is read.
 *
 * @returns the metadata
 */
export function scanSafetensors(
  file: string,
  expected: FileSum | undefined,
  see: (name: string, array: NamedArray) => void,
): Record<string, string> {
  return scanStored(file, expected, see as (name: string, array: StoredArray) => void, ['F32']);
}

/** As scanSafetensors, of tensors of all types that are written here. */
export function scanStored(
  file: string,
  expected: FileSum | undefined,
  see: (name: string, array: StoredArray) => void,
  types: readonly TypeName[] = ['F32', 'I8', 'BF16'],
): Record<string, string> {
  let fd: number | undefined;
  try {
    fd = openInput(file);
    if (expected !== undefined) checkBytes(file, fs.fstatSync(fd).size, expected);
    const source = { fd, summing: new Summing(), refuse: (problem: string) => damaged(file, problem) };
    const metadata = scan(source, see, types);
    if (expected !== undefined) checkSum(file, source.summing.finish(), expected);
    return metadata;
  } catch (error) {
    throw explainFileError(error, file);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Makes the error for a problem. */
type Refuse = (problem: string) => DamageError;

/** A file that is read from its start to its end. */
interface Source {
  fd: number;
  summing: Summing;
  refuse: Refuse;
}

function damaged(file: string, problem: string): DamageError {
  return new DamageError({
    problem: `expected a safetensors file: ${problem}`,
    where: file,
    hint: 'The file is damaged, cut short, or of another kind.',
  });
}

/** Where a tensor lies: bytes from the start of the data. */
interface Entry {
  name: string;
  shape: number[];
  type: TypeName;
  start: number;
  end: number;
}

function scan(
  source: Source,
  see: (name: string, array: StoredArray) => void,
  types: readonly TypeName[],
): Record<string, string> {
  const { fd, refuse } = source;
  const { size } = fs.fstatSync(fd);
  const { header, length } = readHeader(source, size);
  const { __metadata__: metadata = {}, ...entries } = header;
  const checked = Object.entries(entries).map(([name, entry]) => checkEntry(name, entry, types, refuse));
  const dataStart = 8 + length;
  const valid = checkMetadata(metadata, refuse);
  for (const { name, shape, type, start, end } of inOrder(checked, size - dataStart, refuse)) {
    const data = new TYPES[type]((end - start) / TYPES[type].BYTES_PER_ELEMENT);
    readSummed(source, new Uint8Array(data.buffer), dataStart + start);
    see(name, { shape, data });
  }
  return valid;
}

function readHeader(source: Source, size: number): { header: Record<string, unknown>; length: number } {
  const { refuse } = source;
  if (size < 8) throw refuse(`it has ${size} bytes, the length of its header alone takes 8`);
  const lengthBytes = Buffer.alloc(8);
  readSummed(source, lengthBytes, 0);
  const length = Number(lengthBytes.readBigUInt64LE());
  if (length > LONGEST_HEADER || 8 + length > size) {
    throw refuse(`its header claims ${length} bytes, the file has ${size}`);
  }
  const text = Buffer.alloc(length);
  readSummed(source, text, 8);
  let header: unknown;
  try {
    header = parseJson(text.toString('utf8'));
  } catch {
    throw refuse('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw refuse('its header is not a map');
  }
  return { header: header as Record<string, unknown>, length };
}

/** Fills an array from a place in the file. Whoever reads piece after piece sums up the file. */
function readSummed({ fd, summing, refuse }: Source, bytes: Uint8Array, position: number): void {
  readFully(fd, bytes, position, refuse);
  summing.add(bytes);
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function checkEntry(name: string, entry: unknown, types: readonly TypeName[], refuse: Refuse): Entry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const type = types.find((known) => known === dtype);
  if (type === undefined) {
    const reduced =
      dtype === 'I8' || dtype === 'BF16' ? ', as in a model for translating alone (export --precision)' : '';
    throw refuse(`'${name}' is of type ${JSON.stringify(dtype)}${reduced}, expected ${quoted(types)}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) throw refuse(`'${name}' has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw refuse(`'${name}' has no valid offsets`);
  }
  const [start, end] = offsets as [number, number];
  const size = shape.reduce((product: number, axis: number) => product * axis, TYPES[type].BYTES_PER_ELEMENT);
  if (end - start !== size) {
    throw refuse(`'${name}' of shape [${shape}] takes ${size} bytes, found ${end - start}`);
  }
  return { name, shape, type, start, end };
}

const quoted = (types: readonly string[]): string => types.map((type) => `"${type}"`).join(' or ');

/** The entries in the order of the file. The tensors lie one after another and fill the data: no gap, no overlap, nothing left over. */
function inOrder(entries: readonly Entry[], length: number, refuse: Refuse): Entry[] {
  const sorted = [...entries].sort((a, b) => a.start - b.start || a.end - b.end);
  let place = 0;
  for (const { name, start, end } of sorted) {
    if (start !== place) throw refuse(`'${name}' starts at byte ${start} of the data, expected ${place}`);
    if (end > length) throw refuse(`'${name}' ends at byte ${end} of the data, which has ${length}`);
    place = end;
  }
  if (place !== length) throw refuse(`its tensors take ${place} bytes, its data has ${length}`);
  return sorted;
}

function checkMetadata(metadata: unknown, refuse: Refuse): Record<string, string> {
  const valid =
    typeof metadata === 'object' &&
    metadata !== null &&
    Object.values(metadata).every((value) => typeof value === 'string');
  if (!valid) throw refuse('its metadata is not a map of strings');
  return metadata as Record<string, string>;
}
