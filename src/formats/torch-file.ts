import * as fs from 'node:fs';
import { explainFileError, type UserError } from '../common/errors.js';
import { openInput } from '../common/file-input.js';
import { Global, Made, orderedDict, Persistent, type PickleValue, pickle, Tuple } from './pickle.js';
import type { NamedArray } from './safetensors.js';
import { TorchSource } from './torch-source.js';
import { STORAGE_TYPES, type StorageType } from './torch-storage.js';
import { readZipDirectory, writeZip, type ZipEntry } from './zip.js';

/**
 * Files of torch.save, as far as checkpoints of fairseq need them: both the zip of PyTorch 1.6 and later, and what came
 * before it, pickles followed by the storages (torch/serialization.py).
 */

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** Most bytes of the pickles: checkpoints of 1000 layers have less than a tenth of it. */
const LONGEST_PICKLE = 2 ** 26;
const MOST_AXES = 8;

/** A file of torch.save that was read, its tensors not yet. */
export interface TorchFile {
  /** What was saved. */
  value: PickleValue;
  /** Reads a tensor. @throws DamageError for what is none, or not all there; its storage is not copied before that */
  readTensor(value: PickleValue, name: string): NamedArray;
  close(): void;
}

/**
 * Opens a file of torch.save. Nothing in it is run; sizes are checked against the file before anything is allocated.
 *
 * @throws UserError for a file of another kind, a damaged one, or one that names what a checkpoint does not
 */
export function openTorchFile(file: string): TorchFile {
  let fd: number | undefined;
  try {
    fd = openInput(file);
    const { size } = fs.fstatSync(fd);
    const source = new TorchSource(file, fd, size);
    const opened = source.read(0, Math.min(4, size)).equals(Buffer.from('PK\x03\x04'))
      ? openZip(source)
      : openLegacy(source);
    const close = fd;
    return {
      value: opened.value,
      readTensor: (value, name) => readTensor(source, opened.storages, value, name),
      close: () => fs.closeSync(close),
    };
  } catch (error) {
    if (fd !== undefined) fs.closeSync(fd);
    throw explainFileError(error, file);
  }
}

/** The storages by their keys: files of a zip, or places where the older format, which has no sums, keeps them. */
type Storages = ReadonlyMap<string, ZipEntry>;

function openZip(source: TorchSource): { value: PickleValue; storages: Storages } {
  const entries = readZipDirectory(source.read, source.size, (problem) => source.refuse(problem));
  const name = [...entries.keys()].find((entry) => /^[^/]+\/data\.pkl$/.test(entry));
  if (name === undefined) throw source.refuse('it has no data.pkl');
  const prefix = name.slice(0, -'data.pkl'.length);
  const saved = entries.get(name)!;
  if (saved.bytes > LONGEST_PICKLE) throw source.refuse(`its pickle has ${saved.bytes} bytes`);
  const order = entries.get(`${prefix}byteorder`);
  if (order !== undefined && (order.bytes > 9 || source.readEntry(order).toString() !== 'little')) {
    throw source.refuse('its numbers are not little endian');
  }
  const data = `${prefix}data/`;
  const storages = new Map(
    [...entries]
      .filter(([entry]) => entry.startsWith(data))
      .map(([entry, at]) => [entry.slice(data.length), at]),
  );
  return { value: source.unpickle(source.readEntry(saved)).value, storages };
}

function openLegacy(source: TorchSource): { value: PickleValue; storages: Storages } {
  const head = source.read(0, Math.min(source.size, LONGEST_PICKLE));
  if (head[0] !== 0x80) throw source.refuse('it is neither a zip nor a pickle');
  const magic = source.unpickle(head);
  if (magic.value !== MAGIC) throw source.refuse('its magic number is another');
  const protocol = source.unpickle(head, magic.end);
  if (protocol.value !== PROTOCOL) {
    // A list that holds itself, or one list twice at every level, has no text that ends.
    const found = typeof protocol.value === 'number' ? protocol.value : 'another kind';
    throw source.refuse(`it is of protocol ${found}, expected ${PROTOCOL}`);
  }
  const system = source.unpickle(head, protocol.end);
  if (!(system.value instanceof Map && system.value.get('little_endian') === true)) {
    throw source.refuse('its numbers are not little endian');
  }
  const { value, end } = source.unpickle(head, system.end);
  const keys = source.unpickle(head, end);
  if (!Array.isArray(keys.value)) throw source.refuse('it has no list of storages');
  return { value, storages: locateStorages(source, value, keys.value, keys.end) };
}

/** The storages, one after another: i64 how many numbers, and the numbers. */
function locateStorages(
  source: TorchSource,
  value: PickleValue,
  keys: PickleValue[],
  start: number,
): Storages {
  const sizes = elementSizes(value);
  const storages = new Map<string, ZipEntry>();
  let place = start;
  for (const key of keys) {
    const size = typeof key === 'string' ? sizes.get(key) : undefined;
    if (size === undefined) throw source.refuse('its list of storages does not fit its tensors');
    const bytes = Number(source.read(place, 8).readBigInt64LE()) * size;
    if (!(bytes >= 0 && place + 8 + bytes <= source.size)) throw source.refuse('it is cut short');
    storages.set(key as string, { name: key as string, start: place + 8, bytes, crc: undefined });
    place += 8 + bytes;
  }
  return storages;
}

/** Bytes of one number of each storage that a value names. */
function elementSizes(root: PickleValue): Map<string, number> {
  const sizes = new Map<string, number>();
  const seen = new Set<PickleValue>();
  const left: PickleValue[] = [root];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value !== 'object' || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Persistent) {
      const storage = storageOf(value);
      if (storage !== undefined) sizes.set(storage.key, storage.type.bytes);
    } else if (Array.isArray(value)) for (const each of value) left.push(each);
    else if (value instanceof Map) for (const [key, each] of value) left.push(key, each);
    else if (value instanceof Tuple) for (const each of value.items) left.push(each);
    else if (value instanceof Made) left.push(value.args, value.items, value.elements, value.state);
  }
  return sizes;
}

interface Storage {
  key: string;
  type: StorageType;
  /** Numbers in it. */
  size: number;
}

/** Reads `('storage', torch.FloatStorage, key, location, size)`, which the older format ends with a view, or None. */
function storageOf({ id }: Persistent): Storage | undefined {
  if (!(id instanceof Tuple)) return undefined;
  const [kind, type, key, , size, view = null] = id.items;
  const known = type instanceof Global && type.module === 'torch' && Object.hasOwn(STORAGE_TYPES, type.name);
  if (kind !== 'storage' || !known || typeof key !== 'string' || !isCount(size) || view !== null)
    return undefined;
  return { key, type: STORAGE_TYPES[type.name], size };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readTensor(source: TorchSource, storages: Storages, value: PickleValue, name: string): NamedArray {
  const refuse = (problem: string): UserError => source.refuse(`'${name.slice(0, 100)}' ${problem}`);
  const made = unwrapParameter(value);
  if (!(made instanceof Made) || !/^torch\._utils\._rebuild_tensor(_v2)?$/.test(String(made.by))) {
    throw refuse('is no tensor');
  }
  const [kept, offset, size, stride] = made.args.items;
  const storage = kept instanceof Persistent ? storageOf(kept) : undefined;
  const shape = size instanceof Tuple ? size.items : [];
  const strides = stride instanceof Tuple ? stride.items : [];
  const found = storage && storages.get(storage.key);
  const valid =
    isCount(offset) && shape.length <= MOST_AXES && shape.every(isCount) && strides.every(isCount);
  if (storage === undefined || found === undefined || !valid) throw refuse('is not described as a tensor is');
  const count = (shape as number[]).reduce((product, axis) => product * axis, 1);
  if (!isContiguous(shape as number[], strides as number[])) throw refuse('does not lie in one piece');
  const { bytes, read } = storage.type;
  if (read === undefined) throw refuse('holds no floats');
  if (storage.size * bytes !== found.bytes) {
    throw refuse(`has a storage of ${storage.size} numbers, found ${found.bytes} bytes`);
  }
  if (!(offset + count <= storage.size)) throw refuse('reaches beyond its storage');
  source.spend(4 * count);
  source.check(found);
  return { shape: shape as number[], data: read(source.read(found.start + offset * bytes, count * bytes)) };
}

/** A parameter is a tensor that was wrapped. */
function unwrapParameter(value: PickleValue): PickleValue {
  const isParameter = value instanceof Made && String(value.by) === 'torch._utils._rebuild_parameter';
  return isParameter ? value.args.items[0] : value;
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return strides.length === shape.length;
}

/**
 * Writes what torch.load reads (PyTorch 1.5 and later).
 *
 * @param describe makes the value of the tensors; the same tensor under two names is stored once
 */
export function writeTorchFile(
  file: string,
  tensors: ReadonlyMap<string, NamedArray>,
  describe: (tensors: Map<string, PickleValue>) => PickleValue,
): void {
  const keys = new Map<Float32Array, string>();
  const rebuilt = [...tensors].map(([name, array]): [string, PickleValue] => {
    const key = keys.get(array.data) ?? String(keys.size);
    keys.set(array.data, key);
    return [name, tensorValue(array, key)];
  });
  const entries = new Map<string, Uint8Array>([['archive/data.pkl', pickle(describe(new Map(rebuilt)))]]);
  for (const [data, key] of keys) {
    entries.set(`archive/data/${key}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  entries.set('archive/version', Buffer.from('3\n'));
  writeZip(file, entries);
}

function tensorValue({ shape, data }: NamedArray, key: string): PickleValue {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const storage = new Tuple(['storage', new Global('torch', 'FloatStorage'), key, 'cpu', data.length]);
  return new Made(
    new Global('torch._utils', '_rebuild_tensor_v2'),
    new Tuple([
      new Persistent(storage),
      0,
      new Tuple([...shape]),
      new Tuple(strides),
      false,
      orderedDict([]),
    ]),
  );
}
