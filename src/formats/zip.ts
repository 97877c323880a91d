import { UserError } from '../common/errors.js';
import { writeAtomic } from '../common/files.js';
import { crc32 } from './crc.js';

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
/** Offsets have 32 bits. */
const MOST_BYTES = 2 ** 32 - 1;
/** The end record may have this long a comment after it. */
const LONGEST_COMMENT = 2 ** 16 - 1;
const LONGEST_DIRECTORY = 2 ** 26;

/** Writes an archive. @throws UserError also where it would have 4 GiB or more */
export function writeZip(file: string, entries: ReadonlyMap<string, Uint8Array>): void {
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
    problem: 'the archive would have 4 GiB or more, which this program does not write',
    where,
    hint: 'Export the model as safetensors.',
  });
}

/** Where a file of an archive lies. */
export interface ZipEntry {
  start: number;
  bytes: number;
}

/** Reads bytes at a place. @throws where the file has fewer */
export type ReadAt = (start: number, bytes: number) => Buffer;

/**
 * The files of an archive, by name.
 *
 * @param size of the archive
 * @param refuse makes the error for one that is damaged, compressed or too large
 */
export function readZipDirectory(
  read: ReadAt,
  size: number,
  refuse: (problem: string) => UserError,
): Map<string, ZipEntry> {
  const tail = read(
    Math.max(0, size - END_BYTES - LONGEST_COMMENT),
    Math.min(size, END_BYTES + LONGEST_COMMENT),
  );
  const signature = Buffer.alloc(4);
  signature.writeUInt32LE(END);
  const at = tail.lastIndexOf(signature);
  if (at === -1 || at + END_BYTES > tail.length)
    throw refuse('the directory at the end of the archive is missing');
  const [count, length, start] = [
    tail.readUInt16LE(at + 10),
    tail.readUInt32LE(at + 12),
    tail.readUInt32LE(at + 16),
  ];
  if (start === MOST_BYTES)
    throw refuse('it is a zip64 archive of more than 4 GiB, which this program does not read');
  if (length > LONGEST_DIRECTORY || start + length > size) {
    throw refuse(`its directory claims ${length} bytes at byte ${start} of ${size}`);
  }
  const directory = read(start, length);
  const entries = new Map<string, ZipEntry>();
  for (let place = 0, left = count; left > 0; left--) {
    if (place + CENTRAL_BYTES > length || directory.readUInt32LE(place) !== CENTRAL) {
      throw refuse('its directory is damaged');
    }
    const [nameLength, extra, comment] = [28, 30, 32].map((field) => directory.readUInt16LE(place + field));
    const name = directory.toString('utf8', place + CENTRAL_BYTES, place + CENTRAL_BYTES + nameLength);
    if (directory.readUInt16LE(place + 10) !== 0) throw refuse(`'${name}' is compressed`);
    entries.set(name, locate(directory.subarray(place, place + CENTRAL_BYTES), read, start, refuse));
    place += CENTRAL_BYTES + nameLength + extra + comment;
  }
  return entries;
}

/** @param end of the data of all files */
function locate(header: Buffer, read: ReadAt, end: number, refuse: (problem: string) => UserError): ZipEntry {
  const [bytes, place] = [header.readUInt32LE(24), header.readUInt32LE(42)];
  if (place + LOCAL_BYTES > end) throw refuse('its directory is damaged');
  const local = read(place, LOCAL_BYTES);
  if (local.readUInt32LE(0) !== LOCAL) throw refuse('its directory is damaged');
  const start = place + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (start + bytes > end) throw refuse('its directory is damaged');
  return { start, bytes };
}
