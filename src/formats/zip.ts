import { UserError } from '../common/errors.js';
import { writeAtomic } from '../common/files.js';
import { crc32 } from './crc.js';
import type { ReadAt } from './read-at.js';

/**
 * Zip archives of files that are not compressed (PKWARE's APPNOTE.TXT, 4.3), as PyTorch writes them: the data of each
 * file starts at a multiple of 64 bytes.
 */

const ALIGNMENT = 64;
const [LOCAL, CENTRAL, END] = [0x04034b50, 0x02014b50, 0x06054b50];
const [LOCAL_BYTES, CENTRAL_BYTES, END_BYTES] = [30, 46, 22];
/** Names are UTF-8. */
const UTF8 = 0x800;
/** The extra field with which PyTorch fills up a header: "FB". */
const FILLING = 0x4246;
/** 1 January 1980, the first day that zip knows. */
const DATE = 0x21;
const ENCRYPTED = 1;
/** Offsets have 32 bits; what needs more has all of them set. */
const MOST_BYTES = 2 ** 32 - 1;
/** The number of files has 16 bits. */
const MOST_FILES = 2 ** 16 - 1;
/** The end record may have this long a comment after it. */
const LONGEST_COMMENT = 2 ** 16 - 1;
const LONGEST_DIRECTORY = 2 ** 26;

/** Writes an archive. @throws UserError also where it would need zip64 */
export function writeZip(file: string, entries: ReadonlyMap<string, Uint8Array>): void {
  if (entries.size >= MOST_FILES) throw tooLarge(file);
  writeAtomic(file, (writeOut) => {
    const directory: Buffer[] = [];
    let place = 0;
    const write = (bytes: Uint8Array): void => {
      place += bytes.length;
      if (place > MOST_BYTES) throw tooLarge(file);
      writeOut(bytes);
    };
    for (const [name, data] of entries) {
      const text = Buffer.from(name);
      const sum = crc32(data);
      const start = place + LOCAL_BYTES + text.length + 4;
      const extra = extraField((ALIGNMENT - (start % ALIGNMENT)) % ALIGNMENT);
      const common = commonFields(sum, data.length, text.length);
      directory.push(centralHeader(common, place), text);
      const local = Buffer.alloc(LOCAL_BYTES);
      local.writeUInt32LE(LOCAL);
      common.copy(local, 4);
      local.writeUInt16LE(extra.length, 28);
      for (const bytes of [local, text, extra, data]) write(bytes);
    }
    const central = Buffer.concat(directory);
    const end = Buffer.alloc(END_BYTES);
    end.writeUInt32LE(END);
    for (const at of [8, 10]) end.writeUInt16LE(entries.size, at);
    end.writeUInt32LE(central.length, 12);
    end.writeUInt32LE(place, 16);
    write(central);
    write(end);
  });
}

/** What both headers of a file share: version, flags, method, time, date, CRC, sizes, length of the name; 24 bytes. */
function commonFields(crc: number, size: number, nameLength: number): Buffer {
  const fields = Buffer.alloc(24);
  fields.writeUInt16LE(20);
  fields.writeUInt16LE(UTF8, 2);
  fields.writeUInt16LE(DATE, 8);
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(size, 14);
  fields.writeUInt32LE(size, 18);
  fields.writeUInt16LE(nameLength, 22);
  return fields;
}

function centralHeader(common: Buffer, place: number): Buffer {
  const header = Buffer.alloc(CENTRAL_BYTES);
  header.writeUInt32LE(CENTRAL);
  header.writeUInt16LE(20, 4);
  common.copy(header, 6);
  header.writeUInt32LE(place, 42);
  return header;
}

function extraField(length: number): Buffer {
  const field = Buffer.alloc(4 + length);
  field.writeUInt16LE(FILLING);
  field.writeUInt16LE(length, 2);
  return field;
}

function tooLarge(where: string): UserError {
  return new UserError({
    problem:
      'the archive would have 4 GiB or more, or 65535 files or more, which this program does not write',
    where,
    hint: 'Export the model as safetensors.',
  });
}

/** A file of an archive. */
export interface ZipEntry {
  name: string;
  /** Where its bytes lie. */
  start: number;
  bytes: number;
  /** CRC-32; undefined where the archive has none. */
  crc: number | undefined;
}

/** Makes the error for a problem. */
type Refuse = (problem: string) => UserError;

/** What the end record of an archive says of its directory. */
interface Directory {
  count: number;
  start: number;
  bytes: number;
}

/**
 * The files of an archive, by name.
 *
 * @param size of the archive
 * @param refuse makes the error for one that is damaged, compressed or too large
 */
export function readZipDirectory(read: ReadAt, size: number, refuse: Refuse): Map<string, ZipEntry> {
  const { count, start, bytes } = findDirectory(read, size, refuse);
  const directory = read(start, bytes);
  const entries = new Map<string, ZipEntry>();
  let place = 0;
  for (let left = count; left > 0; left--) {
    if (place + CENTRAL_BYTES > bytes || directory.readUInt32LE(place) !== CENTRAL) {
      throw refuse('its directory is damaged');
    }
    const [nameLength, extra, comment] = [28, 30, 32].map((field) => directory.readUInt16LE(place + field));
    const name = directory.subarray(place + CENTRAL_BYTES, place + CENTRAL_BYTES + nameLength);
    const entry = locate(directory.subarray(place, place + CENTRAL_BYTES), name, read, start, refuse);
    if (entries.has(entry.name)) throw refuse(`it has '${entry.name}' twice`);
    entries.set(entry.name, entry);
    place += CENTRAL_BYTES + nameLength + extra + comment;
  }
  if (place !== bytes) throw refuse('its directory is damaged');
  // torch.serialization.set_crc32_options(False) leaves all of them 0.
  if ([...entries.values()].every(({ crc }) => crc === 0))
    for (const entry of entries.values()) entry.crc = undefined;
  return entries;
}

function findDirectory(read: ReadAt, size: number, refuse: Refuse): Directory {
  const tail = read(
    Math.max(0, size - END_BYTES - LONGEST_COMMENT),
    Math.min(size, END_BYTES + LONGEST_COMMENT),
  );
  const signature = Buffer.alloc(4);
  signature.writeUInt32LE(END);
  const at = tail.lastIndexOf(signature);
  if (at === -1 || at + END_BYTES > tail.length)
    throw refuse('the directory at the end of the archive is missing');
  const [count, bytes, start] = [
    tail.readUInt16LE(at + 10),
    tail.readUInt32LE(at + 12),
    tail.readUInt32LE(at + 16),
  ];
  if (count === MOST_FILES || bytes === MOST_BYTES || start === MOST_BYTES) {
    throw refuse(
      'it is a zip64 archive of 4 GiB or more, or of 65535 files or more, which this program does not read',
    );
  }
  if (bytes > LONGEST_DIRECTORY || start + bytes > size) {
    throw refuse(`its directory claims ${bytes} bytes at byte ${start} of ${size}`);
  }
  return { count, start, bytes };
}

/** @param end of the data of all files */
function locate(header: Buffer, nameBytes: Buffer, read: ReadAt, end: number, refuse: Refuse): ZipEntry {
  const name = nameBytes.toString();
  const [flags, method] = [header.readUInt16LE(8), header.readUInt16LE(10)];
  if (method !== 0 || (flags & ENCRYPTED) !== 0)
    throw refuse(`'${name}' is ${method === 0 ? 'encrypted' : 'compressed'}`);
  const [crc, packed, bytes, place] = [16, 20, 24, 42].map((field) => header.readUInt32LE(field));
  const nameEnd = place + LOCAL_BYTES + nameBytes.length;
  if (packed !== bytes || nameEnd > end) throw refuse('its directory is damaged');
  const local = read(place, LOCAL_BYTES + nameBytes.length);
  const same = local.readUInt32LE(0) === LOCAL && local.subarray(LOCAL_BYTES).equals(nameBytes);
  const start = nameEnd + local.readUInt16LE(28);
  if (!same || local.readUInt16LE(26) !== nameBytes.length || start + bytes > end)
    throw refuse(`its directory does not fit '${name}'`);
  return { name, start, bytes, crc };
}

const PIECE = 2 ** 20;

/** Compares a file of an archive with its CRC-32, where there is one, a piece at a time. */
export function checkZipEntry(read: ReadAt, { name, start, bytes, crc }: ZipEntry, refuse: Refuse): void {
  if (crc === undefined) return;
  let found = 0;
  for (let done = 0; done < bytes; done += PIECE) {
    found = crc32(read(start + done, Math.min(PIECE, bytes - done)), found);
  }
  if (found === crc) return;
  const hex = (sum: number): string => sum.toString(16).padStart(8, '0');
  throw refuse(`'${name}' is not as it was written: expected CRC-32 ${hex(crc)}, found ${hex(found)}`);
}
